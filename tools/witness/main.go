// Witness watches the log over somebody else's audit rows. A neighbour
// hospital or the department runs it on a machine of its own: it fetches the
// newest checkpoint, has the log prove that it continues the one this witness
// has seen before, co-signs it, keeps it in its own memory file and hands the
// signature back. It never signs two logs: a log that forks or goes back is
// refused, loudly, with exit code 3, and the evidence is kept.
//
// It shares no code with the server: the two agree by the formats alone
// (notes and proofs of golang.org/x/mod/sumdb; docs/witness.md).
//
//	witness key  -key FILE -name NAME             makes the key and prints the verifier key to register with the log
//	witness once -key FILE -memory FILE -log URL -vkey KEY [-token-file FILE]
//	witness run  … [-every 1m]                    does so again and again
//
// Exit codes: 0 co-signed, 1 the log could not be reached or answered
// wrongly, 2 called wrongly, 3 fork or roll-back.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const (
	exitGood = iota
	exitFailed
	exitUsage
	exitFork
)

func run(ctx context.Context, args []string, out, log io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(log, "witness knows: key, once, run")
		return exitUsage
	}
	fs := flag.NewFlagSet("witness "+args[0], flag.ContinueOnError)
	fs.SetOutput(log)
	var w witness
	fs.StringVar(&w.key, "key", "", "file of this witness's own key")
	name := fs.String("name", "", "name of this witness, such as benh-vien-a (key)")
	fs.StringVar(&w.memory, "memory", "", "file of the newest checkpoint this witness has signed")
	fs.StringVar(&w.log, "log", "", "address of the log's server, https://…")
	fs.StringVar(&w.vkey, "vkey", "", "the log's verifier key, from `ytso audit key`, brought by a safe way")
	fs.StringVar(&w.tokenFile, "token-file", "", "file of a bearer token with the scope system/AuditEvent.c; read anew each time")
	every := fs.Duration("every", time.Minute, "how often (run)")
	if err := fs.Parse(args[1:]); err != nil || fs.NArg() > 0 {
		return exitUsage
	}
	var err error
	switch args[0] {
	case "key":
		err = makeKey(w.key, *name, out)
	case "once":
		err = w.once(ctx, out)
	case "run":
		err = w.watch(ctx, *every, out, log)
	default:
		err = errUsage
	}
	return exit(err, log)
}

var errUsage = errors.New("witness knows: key -key FILE -name NAME; once or run -key FILE -memory FILE -log URL -vkey KEY [-token-file FILE] [-every 1m]")

func exit(err error, log io.Writer) int {
	var fork forkError
	switch {
	case err == nil:
		return exitGood
	case errors.Is(err, errUsage):
		fmt.Fprintln(log, err)
		return exitUsage
	case errors.As(err, &fork):
		fmt.Fprintf(log, "\n*** CẢNH BÁO: NHẬT KÝ ĐÃ BỊ VIẾT LẠI HOẶC LÙI LẠI — KHÔNG KÝ ***\n*** WARNING: THE LOG WAS REWRITTEN OR WENT BACK — NOT SIGNED ***\n%s\n", fork.text)
		return exitFork
	}
	fmt.Fprintln(log, "witness:", err)
	return exitFailed
}

// watch does the round again and again. What can't be reached now is tried
// again; a fork ends it.
func (w *witness) watch(ctx context.Context, every time.Duration, out, log io.Writer) error {
	if every < time.Second {
		return errUsage
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		err := w.once(ctx, out)
		var fork forkError
		if errors.As(err, &fork) || errors.Is(err, errUsage) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(log, time.Now().UTC().Format(time.RFC3339), "witness:", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
