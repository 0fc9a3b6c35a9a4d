package app

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/room/exchange"
)

// patience is how long what is in hand may take once the program was told to stop.
const patience = 30 * time.Second

func serveCommand() command {
	return command{
		name:    "serve",
		summary: "serves pages and interfaces until it is told to stop; what is in hand is finished first",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			s := server{}
			s.flags(f)
			f.StringVar(&s.addr, "addr", "127.0.0.1:8080", "where to listen")
			f.StringVar(&s.cert, "tls-cert", "", "certificate chain, PEM")
			f.StringVar(&s.certKey, "tls-key", "", "key of the certificate, PEM")
			f.StringVar(&s.behindProxy, "behind-proxy", "", "addresses of the proxies in front that speak TLS, parted by commas: it then listens on any address without")
			f.StringVar(&s.notify, "notify", "", "addresses to which subscriptions may send notifications, parted by commas: https://his.example.vn/fhir (default: none)")
			f.BoolVar(&s.endpoints.Private, "notify-private", false, "names in --notify may lead to private addresses, as those of a hospital's own network")
			return s.run
		},
	}
}

type server struct {
	place
	addr, cert, certKey string
	behindProxy         string
	proxies             []netip.Prefix
	notify              string
	endpoints           exchange.Endpoints
}

func (s *server) run(ctx context.Context, std Streams, args []string) error {
	if len(args) > 0 {
		return usagef("serve takes no word %q", args[0])
	}
	if err := s.check(); err != nil {
		return err
	}
	if err := s.settle(); err != nil {
		return err
	}
	o := s.options(std)
	o.Proxies, o.Endpoints = s.proxies, s.endpoints
	n, err := Open(ctx, o)
	if err != nil {
		return err
	}
	l, err := s.listen()
	if err != nil {
		return errors.Join(err, n.Close())
	}
	announce(std.Out, s.url(l))
	return errors.Join(n.serve(ctx, l), n.Close())
}

// check refuses what would send the passwords of senders over the wire in the clear.
func (s *server) check() error {
	if (s.cert == "") != (s.certKey == "") {
		return usagef("--tls-cert and --tls-key go together")
	}
	host, _, err := net.SplitHostPort(s.addr)
	if err != nil {
		return usagef("--addr wants HOST:PORT: %s", err)
	}
	if s.proxies, err = prefixes(s.behindProxy); err != nil {
		return usagef("--behind-proxy wants addresses or prefixes: %s", err)
	}
	for word := range strings.SplitSeq(s.notify, ",") {
		if word = strings.TrimSpace(word); word != "" {
			s.endpoints.Allowed = append(s.endpoints.Allowed, word)
		}
	}
	if err := s.endpoints.Check(); err != nil {
		return usagef("--notify: %s", err)
	}
	if s.cert == "" && len(s.proxies) == 0 && !loopback(host) {
		return usagef("%s can be reached from other machines, and passwords of senders would pass in the clear:\n"+
			"      give --tls-cert and --tls-key, or --behind-proxy ADDRESS when a proxy in front speaks TLS", s.addr)
	}
	return nil
}

// prefixes reads addresses and prefixes parted by commas.
func prefixes(text string) (list []netip.Prefix, err error) {
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		p, err := netip.ParsePrefix(word)
		if err != nil {
			a, err := netip.ParseAddr(word)
			if err != nil {
				return nil, err
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		list = append(list, p)
	}
	return list, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// options of the node, with a log on the error stream.
func (p *place) options(std Streams) Options {
	return Options{Data: p.data, Database: p.database, Key: p.key, Log: newLog(std.Err)}
}

func newLog(w io.Writer) *slog.Logger {
	if w == nil {
		w = io.Discard
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

func (s *server) listen() (net.Listener, error) {
	var config *tls.Config
	if s.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.certKey)
		if err != nil {
			return nil, err
		}
		config = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	}
	l, err := net.Listen("tcp", s.addr)
	if err != nil || config == nil {
		return l, err
	}
	return tls.NewListener(l, config), nil
}

// url is where a browser on this machine finds the listener.
func (s *server) url(l net.Listener) string {
	scheme := "http"
	if s.cert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return scheme + "://" + l.Addr().String()
	}
	if ip := net.ParseIP(host); ip.IsUnspecified() || ip.IsLoopback() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

func announce(w io.Writer, url string) {
	fmt.Fprintf(w, "Đang phục vụ tại %s\nServing at       %s\n", url, url)
}

// serve answers until ctx ends, then finishes the requests in hand.
func (n *Node) serve(ctx context.Context, l net.Listener) error {
	web := httpx.Server(n.handler)
	web.RegisterOnShutdown(n.exchange.EndStreams)
	web.ErrorLog = slog.NewLogLogger(n.log.Handler(), slog.LevelWarn)
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := web.Shutdown(last); err != nil {
		return errors.Join(err, web.Close())
	}
	return nil
}
