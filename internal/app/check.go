package app

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
)

func checkCommand() command {
	return command{
		name: "check", args: "FILE|DIR…",
		summary: "says what is wrong with claim files, like a compiler; exit code 1 on an error",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			c := checker{}
			f.BoolVar(&c.json, "json", false, "one JSON object a file")
			f.StringVar(&c.at, "at", "", "day on which the files count as received, yyyy-mm-dd (default: today)")
			return c.run
		},
	}
}

// checked is what `ytso check --json` says of a file.
type checked struct {
	File    string `json:"file"`
	Refused *struct {
		Key string `json:"key"`
		VI  string `json:"vi"`
		EN  string `json:"en"`
	} `json:"refused,omitempty"` // the file as a whole can't be read
	check.Report
	Unimplemented []string `json:"rulesNotRun"` // rules of the list that no code runs yet
}

type checker struct {
	json bool
	at   string
}

func (c *checker) run(ctx context.Context, std Streams, args []string) error {
	if len(args) == 0 {
		return usagef("check needs a file")
	}
	at := time.Now()
	if c.at != "" {
		var err error
		if at, err = time.ParseInLocation(time.DateOnly, c.at, claim.VietNam); err != nil {
			return usagef("--at wants yyyy-mm-dd, not %q", c.at)
		}
	}
	files, err := listFiles(args)
	if err != nil {
		return err
	}
	bad := false
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		out := checkFile(ctx, name, body, at)
		bad = bad || out.Refused != nil || hasError(out.Report)
		if c.json {
			err = json.NewEncoder(std.Out).Encode(out)
		} else {
			err = out.text(std)
		}
		if err != nil {
			return err
		}
	}
	if bad {
		return errFindings
	}
	return nil
}

func checkFile(ctx context.Context, name string, body []byte, at time.Time) checked {
	out := checked{File: name, Unimplemented: check.Unimplemented()}
	f, err := claim.Decode(body, claim.Limits{})
	if f != nil && f.Kind != "" {
		out.Report = check.File(ctx, f, check.Options{At: at})
	}
	if err != nil {
		e := outcome.As(err)
		out.Refused = &struct {
			Key string `json:"key"`
			VI  string `json:"vi"`
			EN  string `json:"en"`
		}{e.Key, e.VI, e.EN}
	}
	return out
}

func (c checked) text(std Streams) error {
	if c.Refused != nil {
		if _, err := fmt.Fprintf(std.Out, "%s: error %s: %s\n", c.File, c.Refused.Key, c.Refused.VI); err != nil {
			return err
		}
	}
	if err := c.WriteText(std.Out, c.File); err != nil {
		return err
	}
	_, err := fmt.Fprintf(std.Out, "%s: %d rules of other groups are not run by this version\n", c.File, len(c.Unimplemented))
	return err
}

func hasError(r check.Report) bool {
	for _, f := range r.Findings {
		if f.Severity == check.Error {
			return true
		}
	}
	return false
}

// listFiles spreads folders into the XML files below them, in order of name.
func listFiles(args []string) ([]string, error) {
	var out []string
	for _, a := range args {
		err := filepath.WalkDir(a, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (path == a || strings.EqualFold(filepath.Ext(path), ".xml")) {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
