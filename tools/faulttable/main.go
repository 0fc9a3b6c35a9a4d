// Faulttable plants every kind of fault in the files of an invented province,
// runs the checks over them, and prints by kind how many were found, missed,
// and what was said falsely.
//
//	go run ./tools/faulttable --people 300
package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/synth/fault"
	"github.com/ytso/ytso/spec"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
)

func main() {
	log.SetFlags(0)
	people := flag.Int("people", 60, "people of the province")
	each := flag.Int("each", 20, "files to spoil for each kind")
	flag.Parse()
	table, err := evaluate(*people, *each)
	if err != nil {
		log.Fatal(err)
	}
	write(os.Stdout, table)
}

// line is the result for one kind of fault.
type line struct {
	kind                         fault.Kind
	files, found, missed, falsly int
	examples                     []string // of what was missed or said falsely
}

// evaluate spoils up to each files by every kind. Found: a rule that the kind
// expects speaks, or the file is refused as it should be. False: a rule speaks
// that does not look at the spoilt field, or anything about a harmless form.
func evaluate(people, each int) ([]*line, error) {
	table := make([]*line, len(fault.Kinds))
	for i, k := range fault.Kinds {
		table[i] = &line{kind: k}
	}
	looks, err := selectors()
	if err != nil {
		return nil, err
	}
	seed := uint64(0)
	for f := range synth.New(synth.Options{People: people}).Files() {
		full := true
		var clean []byte
		for _, l := range table {
			if l.files >= each {
				continue
			}
			full = false
			if clean == nil {
				if clean, err = claim.Encode(f.Claim); err != nil {
					return nil, err
				}
			}
			seed++
			broken, planted, ok := fault.Plant(l.kind, seed, clean)
			if !ok {
				continue
			}
			l.files++
			l.judge(f, broken, planted, looks)
		}
		if full {
			break
		}
	}
	return table, nil
}

func (l *line) judge(f synth.File, broken []byte, planted fault.Planted, looks map[string]string) {
	file, err := claim.Decode(broken, claim.Limits{})
	refused := ""
	if err != nil {
		refused = outcome.As(err).Key
	}
	var r check.Report
	if file != nil && file.Kind != "" {
		r = check.File(context.Background(), file, check.Options{At: f.Sent})
	}
	found := refused == l.kind.Whole
	if l.kind.Whole == "" && len(l.kind.Expect) > 0 {
		found = found && slices.ContainsFunc(r.Findings, func(x check.Finding) bool { return slices.Contains(l.kind.Expect, x.Rule) })
	}
	if found {
		l.found++
	} else {
		l.missed++
		l.example("missed in %s: %+v, refused %q", f.Name, planted, refused)
	}
	if l.kind.Whole != "" {
		return // what is found in the rest of a refused file is not told to anybody
	}
	for _, x := range r.Findings {
		if !slices.Contains(l.kind.Expect, x.Rule) && (len(l.kind.Expect) == 0 || !looksAt(looks[x.Rule], planted)) {
			l.falsly++
			l.example("false in %s: %s about %+v", f.Name, x.Rule, planted)
			break
		}
	}
}

func (l *line) example(format string, args ...any) {
	if len(l.examples) < 2 {
		l.examples = append(l.examples, fmt.Sprintf(format, args...))
	}
}

// selectors gives the column select of rules.csv by rule.
func selectors() (map[string]string, error) {
	text, err := spec.FS.ReadFile("qd3176/rules.csv")
	if err != nil {
		return nil, err
	}
	lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, l := range lines {
		out[l[0]] = l[2]
	}
	return out, nil
}

// looksAt says whether a rule's selectors name the field that was spoilt, or
// whether what was spoilt is the envelope, on which everything hangs.
func looksAt(selects string, p fault.Planted) bool {
	if p.Table == "FILE" || p.Field == "NOIDUNGFILE" {
		return true
	}
	for s := range strings.SplitSeq(selects, ";") {
		_, name, _ := strings.Cut(s, ".")
		if i := strings.LastIndex(name, "."); i >= 0 { // XML2..XML11.MA_LK
			name = name[i+1:]
		}
		name, _, _ = strings.Cut(name, ":")
		if prefix, any := strings.CutSuffix(name, "*"); name == p.Field || any && strings.HasPrefix(p.Field, prefix) {
			return true
		}
	}
	return false
}

func write(w io.Writer, table []*line) {
	files, found, missed, falsly := 0, 0, 0, 0
	fmt.Fprintf(w, "%-34s %-22s %6s %6s %6s %6s\n", "kind", "expected", "files", "found", "missed", "false")
	for _, l := range table {
		expect := strings.Join(l.kind.Expect, " ")
		if l.kind.Whole != "" {
			expect = l.kind.Whole
		} else if expect == "" {
			expect = "(nothing)"
		}
		fmt.Fprintf(w, "%-34s %-22s %6d %6d %6d %6d\n", l.kind.Name, expect, l.files, l.found, l.missed, l.falsly)
		for _, e := range l.examples {
			fmt.Fprintf(w, "    %s\n", e)
		}
		files, found, missed, falsly = files+l.files, found+l.found, missed+l.missed, falsly+l.falsly
	}
	fmt.Fprintf(w, "%-34s %-22s %6d %6d %6d %6d\n", fmt.Sprintf("%d kinds", len(table)), "", files, found, missed, falsly)
}
