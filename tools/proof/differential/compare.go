package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// result is what an expression gave: items as text, complex ones as JSON with sorted members; or an error.
type result struct {
	items []string
	err   string
}

func readResult(raw json.RawMessage) (r result) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		var e struct{ Error string }
		if json.Unmarshal(raw, &e) != nil || e.Error == "" {
			e.Error = "unreadable answer"
		}
		return result{err: e.Error}
	}
	for _, x := range list {
		var s string
		switch {
		case string(x) == "null":
		case x[0] == '"' && json.Unmarshal(x, &s) == nil:
			r.items = append(r.items, s)
		default:
			r.items = append(r.items, canonical(x))
		}
	}
	return r
}

// canonical writes JSON with sorted members, numbers as the nearest float: the other engine has no others.
func canonical(raw []byte) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return string(raw)
	}
	return strings.TrimSpace(b.String())
}

func same(a, b result) bool {
	if a.err != "" || b.err != "" {
		return a.err != "" && b.err != ""
	}
	return slices.EqualFunc(a.items, b.items, sameText)
}

// sameText: numbers are the same when no float can tell them apart.
func sameText(a, b string) bool {
	if a == b {
		return true
	}
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err1 == nil && err2 == nil && math.Abs(x-y) <= 1e-7*math.Max(math.Abs(x), math.Abs(y))
}

func unique(list []string) (out []string) {
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// tally counts what was compared.
type tally struct {
	asked, agreed, errors, unexplained int
	filled                             int // agreements about a result that is not empty
	show                               int
	reasons                            map[string]int
	examples                           map[string][]string
}

func (t *tally) add(d subject, q question, ours, theirs result) {
	t.asked++
	if q.kind == "search" { // whoever extracts values takes each once
		ours.items, theirs.items = unique(ours.items), unique(theirs.items)
	}
	if same(ours, theirs) {
		t.agreed++
		if ours.err != "" {
			t.errors++
		}
		if len(ours.items) > 0 {
			t.filled++
		}
		return
	}
	why := reason(q, ours, theirs)
	if why == "" {
		t.unexplained++
		why = "NO REASON: " + q.kind + " " + q.theirs
	}
	t.reasons[why]++
	if len(t.examples[why]) < t.show {
		t.examples[why] = append(t.examples[why], fmt.Sprintf("%s: %s\n      ours   %.300s\n      theirs %.300s", d.name, q.theirs, ours, theirs))
	}
}

func (r result) String() string {
	if r.err != "" {
		return "error: " + r.err
	}
	return fmt.Sprintf("%q", r.items)
}

func (t *tally) write(w io.Writer, resources, expressions int, version string) {
	fmt.Fprintf(w, "npm fhirpath %s: %d resources, %d expressions, %d evaluations\n", version, resources, expressions, t.asked)
	fmt.Fprintf(w, "the same: %d (%d with a result, %d an error on both sides)\n", t.agreed, t.filled, t.errors)
	fmt.Fprintf(w, "different: %d, without a reason: %d\n", t.asked-t.agreed, t.unexplained)
	for _, why := range slices.SortedFunc(maps.Keys(t.reasons), func(a, b string) int { return cmp.Compare(t.reasons[b], t.reasons[a]) }) {
		fmt.Fprintf(w, "\n%6d  %s\n", t.reasons[why], why)
		for _, e := range t.examples[why] {
			fmt.Fprintf(w, "    %s\n", e)
		}
	}
}
