package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/authn"
	"github.com/ytso/ytso/vn/claim"
)

func demoCommand() command {
	return command{
		name:    "demo",
		summary: "serves an invented province whose claim files flow in through the real gateway",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			d := demo{}
			d.flags(f)
			f.StringVar(&d.addr, "addr", "127.0.0.1:8080", "where to listen, on this machine only")
			f.IntVar(&d.people, "people", 300, "number of people")
			f.Uint64Var(&d.seed, "seed", 1, "another seed is another province")
			f.StringVar(&d.until, "until", synth.DefaultUntil.Format(time.DateOnly), "last day of the visits, yyyy-mm-dd")
			f.Lookup("data").Usage = "folder that stays and goes on where it stopped (default: one that is removed at the end)"
			return d.run
		},
	}
}

type demo struct {
	server
	people int
	seed   uint64
	until  string
}

func (d *demo) run(ctx context.Context, std Streams, args []string) (err error) {
	province, err := d.province(args)
	if err != nil {
		return err
	}
	if d.data == "" && d.database == "" {
		if d.data, err = os.MkdirTemp("", "ytso-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(d.data)) }()
	}
	if err := d.settle(); err != nil {
		return err
	}
	live := terminal(std.Out)
	std.Out = &inTurn{w: std.Out}
	flow := &inflow{province: province}
	guide := newGuide(flow, d.people)
	o := d.options(std)
	o.Tour, o.Log = guide.tour, slog.New(slog.NewTextHandler(orNothing(std.Err), &slog.HandlerOptions{Level: slog.LevelWarn}))
	n, err := Open(ctx, o)
	if err != nil {
		return err
	}
	l, err := d.listen()
	if err != nil {
		return errors.Join(err, n.Close())
	}
	flow.node, flow.base, flow.watch = n, "http://"+l.Addr().String(), progressLine(std.Out, live)
	announce(std.Out, d.url(l))
	fmt.Fprintf(std.Out, "Dữ liệu (data):  %s\n", d.where())
	return errors.Join(d.show(ctx, std, n, l, guide), n.Close())
}

func (d *demo) province(args []string) (*synth.Province, error) {
	host, _, err := net.SplitHostPort(d.addr)
	until, bad := time.ParseInLocation(time.DateOnly, d.until, claim.VietNam)
	switch {
	case len(args) > 0:
		return nil, usagef("demo takes no word %q", args[0])
	case err != nil:
		return nil, usagef("--addr wants HOST:PORT: %s", err)
	case !loopback(host):
		return nil, usagef("demo signs anybody in who can reach it, so it listens on this machine only: --addr 127.0.0.1:PORT")
	case d.people < 1:
		return nil, usagef("--people wants at least 1")
	case bad != nil:
		return nil, usagef("--until wants yyyy-mm-dd, not %q", d.until)
	}
	if now := time.Now(); until.After(now) { // a visit of tomorrow is refused, and rightly
		until = now.In(claim.VietNam).Truncate(24 * time.Hour)
	}
	return synth.New(synth.Options{People: d.people, Seed: d.seed, Until: until}), nil
}

func (d *demo) where() string {
	if d.database != "" {
		return "PostgreSQL"
	}
	return d.data
}

// show serves while the province flows in.
func (d *demo) show(ctx context.Context, std Streams, n *Node, l net.Listener, g *guide) error {
	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	var fault error
	work.Go(func() {
		if fault = d.flow(ctx, std, n, l, g); errors.Is(fault, context.Canceled) {
			fault = nil // told to stop
		}
		if fault != nil {
			stop()
		}
	})
	err := n.serve(ctx, l)
	stop()
	work.Wait()
	return errors.Join(err, fault)
}

// flow prints the ways in, lets the files come, and tells when all are there.
func (d *demo) flow(ctx context.Context, std Streams, n *Node, l net.Listener, g *guide) error {
	for _, who := range g.desks {
		if len(navigation(n.rooms, who.Role)) == 0 {
			continue // no page for it yet
		}
		if err := d.printLink(ctx, std, n, l, who); err != nil {
			return err
		}
	}
	looked := make(chan error, 1)
	go func() {
		var once sync.Once
		looked <- g.look(ctx, func(p *synth.Person, golden string) {
			once.Do(func() {
				who := authn.LinkFor{Role: trust.RoleCitizen, Person: golden, Name: p.Name}
				if err := d.printLink(ctx, std, n, l, who); err != nil {
					n.log.Error("no link for the citizen", "err", err)
				}
			})
		})
	}()
	if err := g.flow.run(ctx); err != nil {
		return err
	}
	if err := <-looked; err != nil {
		return err
	}
	done, _, _ := g.flow.progress()
	fmt.Fprintf(std.Out, "Đã xong: %d lượt khám nằm trong sổ của từng người.\nFinished: %d visits are in the books of their people.\n", done, done)
	return nil
}

// printLink shows a one-time link that holds for the day of the demonstration.
func (d *demo) printLink(ctx context.Context, std Streams, n *Node, l net.Listener, who authn.LinkFor) error {
	who.TTL = 24 * time.Hour
	got, err := n.authn.NewLink(ctx, who)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.Out, "%-11s %s%s\n", who.Role, d.url(l), got.Path)
	return nil
}

// progressLine writes how far the inflow is: over and over on a terminal, ten lines elsewhere.
func progressLine(w io.Writer, live bool) func(done, total int) {
	var mu sync.Mutex
	last := 0
	shown := time.Time{}
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		tenth := done * 10 / max(total, 1)
		at := clock.System{}.Now().In(clock.VietNam).Format(time.TimeOnly)
		switch {
		case live && (done == total || time.Since(shown) > 200*time.Millisecond):
			shown = time.Now()
			end := ""
			if done == total {
				end = "\n"
			}
			fmt.Fprintf(w, "\r%d/%d lượt khám đã vào sổ (visits in the books)%s", done, total, end)
		case !live && tenth > last:
			last = tenth
			fmt.Fprintf(w, "%s %d/%d lượt khám đã vào sổ (visits in the books)\n", at, done, total)
		}
	}
}

// inTurn lets several lines of work write without mixing their words.
type inTurn struct {
	mu sync.Mutex
	w  io.Writer
}

func (t *inTurn) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.w.Write(b)
}

func orNothing(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
