// Package law is the law as data: code lists, amounts, administrative units
// and releases, each with its days of validity and picked by the date of the
// event (DESIGN.md decision 14). Where no list is known for a day the answer
// says so; nobody may take that for "right".
package law

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/spec"
)

// zone of Vietnamese dates; the day of an event is its day there.
var zone = time.FixedZone("+07", 7*3600)

// day is yyyy-mm-dd, as the tables have it.
func day(t time.Time) string { return t.In(zone).Format(time.DateOnly) }

func within(from, to, d string) bool { return (from == "" || from <= d) && (to == "" || d <= to) }

type record map[string]string

// readTable reads a CSV of package spec. The tables are part of the program: a
// damaged one is a mistake in the build, which the tests find, and panics.
func readTable(name string) []record {
	text, err := spec.FS.ReadFile(name)
	if err == nil {
		var lines [][]string
		lines, err = csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
		if err == nil && len(lines) > 0 {
			out := make([]record, 0, len(lines)-1)
			for _, l := range lines[1:] {
				r := make(record, len(l))
				for i, h := range lines[0] {
					r[h] = l[i]
				}
				out = append(out, r)
			}
			return out
		}
	}
	panic(fmt.Sprintf("law: table %s: %v", name, err))
}

// Code is a member of a list.
type Code struct {
	Code, VI, EN string
	from, to     string
}

// List is a code list. The same code may stand more than once with other days.
type List struct {
	Name     string
	Complete bool // false: a code outside of it may still be right, so it never refuses (rules.md §5)
	codes    map[string][]Code
}

// Has says whether a code is a member on a day.
func (l *List) Has(code string, on time.Time) bool {
	_, ok := l.Find(code, on)
	return ok
}

// Find gives the member of a code on a day.
func (l *List) Find(code string, on time.Time) (Code, bool) {
	d := day(on)
	for _, c := range l.codes[code] {
		if within(c.from, c.to, d) {
			return c, true
		}
	}
	return Code{}, false
}

// On lists the members on a day, in order of their codes.
func (l *List) On(on time.Time) []Code {
	d := day(on)
	var out []Code
	for _, same := range l.codes {
		for _, c := range same {
			if within(c.from, c.to, d) {
				out = append(out, c)
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b Code) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// listed is a line of codelists_index.csv; its list is read when it is first asked for.
type listed struct {
	from, to string
	load     func() *List // nil list when it is not shipped: a catalogue that the site loads
}

var index = sync.OnceValue(func() map[string]listed {
	out := map[string]listed{}
	for _, r := range readTable("qd3176/codelists_index.csv") {
		out[r["list"]] = listed{r["valid_from"], r["valid_to"], sync.OnceValue(func() *List { return load(r) })}
	}
	return out
})

func load(meta record) *List {
	name := meta["list"]
	path := "qd3176/codelists/" + name + ".csv"
	if rest, ok := strings.CutPrefix(name, "vn:"); ok {
		path = "vn/" + rest + ".csv"
	}
	if f, err := spec.FS.Open(path); err != nil {
		return nil
	} else {
		f.Close()
	}
	l := &List{Name: name, Complete: meta["complete"] == "annex" || meta["complete"] == "yes", codes: map[string][]Code{}}
	for _, r := range readTable(path) {
		c := Code{r[meta["key_column"]], first(r["label_vi"], r["full_name_vi"], r["name_vi"]), first(r["label_en"], r["name_en"]), r["valid_from"], r["valid_to"]}
		l.codes[c.Code] = append(l.codes[c.Code], c)
	}
	return l
}

// ErrNoList says that no list of that name is known for that day.
var ErrNoList = outcome.New(outcome.NotSupported, "law.no-list",
	"Chưa có danh mục có hiệu lực tại ngày này.", "No list is known for this day.")

// Find gives the list of a name of codelists_index.csv that holds on a day.
// ErrNoList when it is not shipped or does not cover the day.
func Find(name string, on time.Time) (*List, error) {
	entry, ok := index()[name]
	if !ok || !within(entry.from, entry.to, day(on)) {
		return nil, ErrNoList
	}
	l := entry.load()
	if l == nil {
		return nil, ErrNoList
	}
	return l, nil
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
