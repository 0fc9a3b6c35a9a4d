// Package app puts the house together: the commands of the program, one file each.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
)

// Streams are the program's ends; tests give their own.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// command is one word of the program. `ytso help` is made from the same data.
type command struct {
	name    string
	args    string // after the flags
	summary string
	// define declares the flags and gives what runs once they are read.
	define func(*flag.FlagSet) func(ctx context.Context, std Streams, args []string) error
}

func commands() []command {
	return []command{
		demoCommand(), serveCommand(), accountCommand(), tokenCommand(), signInLinkCommand(), importCommand(), packageCommand(),
		checkCommand(), generateCommand(), benchCommand(), fhirpathCommand(), validateCommand(), viewCommand(), auditCommand(),
	}
}

// errFindings ends a command with exit code 1 and no further word: it has said everything.
var errFindings = errors.New("findings")

// usageError ends a command with exit code 2.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// Main runs the program and gives its exit code: 0 good, 1 the work failed or
// found errors, 2 the call was wrong.
func Main(ctx context.Context, args []string, std Streams) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		var err error
		if len(args) > 1 {
			err = helpOn(std.Out, args[1])
		} else {
			writeHelp(std.Out)
		}
		return exit(std, err)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return exit(std, c.call(ctx, std, args[1:]))
		}
	}
	return exit(std, usagef("there is no command %q; see `ytso help`", args[0]))
}

func exit(std Streams, err error) int {
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errFindings):
		return 1
	case errors.As(err, &usage):
		fmt.Fprintln(std.Err, "ytso:", usage.text)
		return 2
	}
	if e := (*outcome.Error)(nil); errors.As(err, &e) { // one with words of its own, such as "another key file"
		fmt.Fprintf(std.Err, "ytso: %s\n      %s\n", e.VI, e.EN)
	}
	fmt.Fprintln(std.Err, "ytso:", err)
	return 1
}

func (c command) flags(out io.Writer) (*flag.FlagSet, func(context.Context, Streams, []string) error) {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() { c.describe(out, fs) }
	return fs, c.define(fs)
}

func (c command) call(ctx context.Context, std Streams, args []string) error {
	fs, run := c.flags(std.Err)
	var rest []string
	for { // flags may stand before, between and after the words
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return err
			}
			return usagef("%s", err)
		}
		if fs.NArg() == 0 {
			break
		}
		rest, args = append(rest, fs.Arg(0)), fs.Args()[1:]
	}
	return run(ctx, std, rest)
}

func (c command) describe(w io.Writer, fs *flag.FlagSet) {
	fmt.Fprintf(w, "ytso %s [flags] %s\n    %s\n", c.name, c.args, c.summary)
	fs.SetOutput(w)
	fs.PrintDefaults()
}

func writeHelp(w io.Writer) {
	fmt.Fprint(w, "ytso: one program for a province's health network.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-32s %s\n", strings.TrimSpace("ytso "+c.name+" "+c.args), c.summary)
	}
	fmt.Fprint(w, "\n`ytso help COMMAND` lists its flags.\n")
}

func helpOn(w io.Writer, name string) error {
	for _, c := range commands() {
		if c.name == name {
			fs, _ := c.flags(w)
			c.describe(w, fs)
			return nil
		}
	}
	return usagef("there is no command %q; see `ytso help`", name)
}
