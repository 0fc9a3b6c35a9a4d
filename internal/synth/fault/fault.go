// Package fault plants mistakes in finished claim files, the way senders make
// them: by editing bytes. It knows the envelope and the names of elements, but
// neither the codec nor any rule, so that what it plants and what the checks
// find are two opinions. Each kind says in the law's words what it breaks and
// which rule of spec/qd3176/rules.csv should speak.
package fault

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// Kind is one kind of fault.
type Kind struct {
	Name   string
	Words  string   // what the law or the decision asks for, and what is done to it
	Expect []string // rules that should speak; none: a harmless variation that nobody may report
	Whole  string   // key of the refusal of the whole file, when it is refused
	edit   func(*doc) bool
}

// Planted tells what was done where.
type Planted struct {
	Kind  string `json:"kind"`
	Table string `json:"table"` // "FILE" for the envelope
	Row   int    `json:"row"`   // from 1, 0: not in a row
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// Plant makes one fault of a kind in a clean file with one HOSO. ok is false
// when the file has no place for it (no medicine to spoil, for example).
func Plant(k Kind, seed uint64, clean []byte) (broken []byte, planted Planted, ok bool) {
	d := &doc{outer: string(clean), g: rand.New(rand.NewPCG(seed, uint64(len(clean))))}
	if !d.open() || !k.edit(d) {
		return nil, Planted{}, false
	}
	d.planted.Kind = k.Name
	return []byte(d.close()), d.planted, true
}

// doc is a file taken apart: the envelope with a hole for each part, and the parts in clear.
type doc struct {
	outer   string
	names   []string // LOAIHOSO of each part
	parts   []string // inner documents, in clear
	raw     map[int]string
	g       *rand.Rand
	planted Planted
	after   func(string) string // a last edit of the whole file
}

var content = regexp.MustCompile(`<LOAIHOSO>(XML\d+)</LOAIHOSO><NOIDUNGFILE>([^<]*)</NOIDUNGFILE>`)

func (d *doc) open() bool {
	for _, m := range content.FindAllStringSubmatch(d.outer, -1) {
		b, err := base64.StdEncoding.DecodeString(m[2])
		if err != nil {
			return false
		}
		d.names, d.parts = append(d.names, m[1]), append(d.parts, string(b))
	}
	d.raw = map[int]string{}
	return len(d.parts) > 0
}

func (d *doc) close() string {
	i := -1
	s := content.ReplaceAllStringFunc(d.outer, func(string) string {
		i++
		text, ok := d.raw[i]
		if !ok {
			text = base64.StdEncoding.EncodeToString([]byte(d.parts[i]))
		}
		return "<LOAIHOSO>" + d.names[i] + "</LOAIHOSO><NOIDUNGFILE>" + text + "</NOIDUNGFILE>"
	})
	if d.after != nil {
		s = d.after(s)
	}
	return s
}

func (d *doc) part(table string) int { return slices.Index(d.names, table) }

// note writes down what is done.
func (d *doc) note(table string, row int, field, old, now string) bool {
	d.planted = Planted{Table: table, Row: row, Field: field, Old: old, New: now}
	return true
}

// place is one element of a field.
type place struct {
	part, from, to, row int
	value               string
}

// find lists the places of a field in a table whose value fits.
func (d *doc) find(table, field string, fit func(string) bool) []place {
	i := d.part(table)
	if i < 0 {
		return nil
	}
	open, shut := "<"+field+">", "</"+field+">"
	var out []place
	for at, row := 0, 0; ; {
		j := strings.Index(d.parts[i][at:], open)
		if j < 0 {
			return out
		}
		row++
		from := at + j + len(open)
		to := from + strings.Index(d.parts[i][from:], shut)
		if v := d.parts[i][from:to]; fit(v) {
			out = append(out, place{i, from, to, row, v})
		}
		at = to + len(shut)
	}
}

func filled(s string) bool { return s != "" }

// set makes an edit that gives a field a new value, at a place drawn among those that fit.
func set(table, field string, fit func(string) bool, change func(old string) string) func(*doc) bool {
	return func(d *doc) bool {
		places := d.find(table, field, fit)
		if len(places) == 0 {
			return false
		}
		p := places[d.g.IntN(len(places))]
		now := change(p.value)
		if now == p.value {
			return false
		}
		d.parts[p.part] = d.parts[p.part][:p.from] + now + d.parts[p.part][p.to:]
		return d.note(table, p.row, field, p.value, now)
	}
}

// to gives a constant.
func to(s string) func(string) string { return func(string) string { return s } }

// element replaces the content of an envelope element.
func element(name string, now string) func(*doc) bool {
	re := regexp.MustCompile("<" + name + ">([^<]*)</" + name + ">")
	return func(d *doc) bool {
		m := re.FindStringSubmatch(d.outer)
		if m == nil || m[1] == now {
			return false
		}
		d.outer = strings.Replace(d.outer, m[0], "<"+name+">"+now+"</"+name+">", 1)
		return d.note("FILE", 0, name, m[1], now)
	}
}

// whole edits the bytes of the finished file.
func whole(what string, change func(string) string) func(*doc) bool {
	return func(d *doc) bool {
		d.after = change
		return d.note("FILE", 0, what, "", "")
	}
}

// content of a part as it stands in the file, in place of base64.
func rawPart(table string, change func(clear string) string) func(*doc) bool {
	return func(d *doc) bool {
		i := d.part(table)
		if i < 0 {
			return false
		}
		d.raw[i] = change(d.parts[i])
		return d.note(table, 0, "NOIDUNGFILE", "", "")
	}
}

func encoded(change func(string) string) func(string) string {
	return func(clear string) string { return base64.StdEncoding.EncodeToString([]byte(change(clear))) }
}

// appendPart adds a FILEHOSO behind the last.
func appendPart(name, body string) func(*doc) bool {
	return func(d *doc) bool {
		d.after = func(s string) string {
			return strings.Replace(s, "</HOSO>", fmt.Sprintf("<FILEHOSO><LOAIHOSO>%s</LOAIHOSO><NOIDUNGFILE>%s</NOIDUNGFILE></FILEHOSO></HOSO>", name, body), 1)
		}
		return d.note("FILE", 0, "LOAIHOSO", "", name)
	}
}
