package validate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

// inventor makes resources that are right by the tables, each element as likely as not.
type inventor struct {
	random *rand.Rand
	out    []byte
}

func (g *inventor) often(n int) bool { return g.random.IntN(n) > 0 }

func (g *inventor) resource(typ string, depth int) {
	g.out = append(g.out, `{"resourceType":"`+typ+`"`...)
	g.members(r4.ResourceShape([]byte(typ)), depth)
	g.out = append(g.out, '}')
}

// members writes some elements of the shape, and each that is required; deep down only those.
func (g *inventor) members(s *r4.Shape, depth int) {
	byslot := make([][]string, len(s.Slots))
	for _, name := range s.Names() {
		m := s.Member([]byte(name))
		byslot[m.Slot] = append(byslot[m.Slot], name)
	}
	for i, slot := range s.Slots {
		switch {
		case slot.Name == "contained" || slot.Name == "modifierExtension" || slot.Path == "Narrative.div":
			if slot.Min == 0 {
				continue
			}
		case s.Path == "Extension" && slot.Name == "extension" || slot.Path == "Attachment.size": // what binds two elements is not invented
			continue
		case s.Path == "Extension" && slot.Choice:
			if depth > 3 {
				byslot[i] = []string{"valueString"}
			}
		case slot.Min == 0 && (depth > 3 || g.often(3)):
			continue
		}
		names := byslot[i]
		g.member(s.Member([]byte(smallest(names, g.random))), depth)
	}
}

// smallest picks one of the names, whatever order they come in.
func smallest(names []string, random *rand.Rand) string {
	sorted := append([]string(nil), names...)
	for i := range sorted {
		for j := i; j > 0 && sorted[j] < sorted[j-1]; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	return sorted[random.IntN(len(sorted))]
}

func (g *inventor) name(prefix, name string) {
	if g.out[len(g.out)-1] != '{' {
		g.out = append(g.out, ',')
	}
	g.out = append(g.out, `"`+prefix+name+`":`...)
}

func (g *inventor) member(m *r4.Member, depth int) {
	n := 1
	if m.Many {
		n = 1 + g.random.IntN(2)
	}
	extended := m.Primitive != r4.None && m.Primitive != r4.XHTML && !m.Attribute && depth < 3 && !g.often(4)
	g.name("", m.Name)
	g.list(m, n, func(i int) {
		if extended && i > 0 {
			g.out = append(g.out, "null"...)
			return
		}
		g.value(m, depth)
	})
	if !extended {
		return
	}
	g.name("_", m.Name)
	g.list(m, n, func(int) {
		g.out = append(g.out, `{"id":"e`+strconv.Itoa(g.random.IntN(100))+`","extension":[{"url":"http://example.vn/x","valueDecimal":1.50}]}`...)
	})
}

func (g *inventor) list(m *r4.Member, n int, write func(int)) {
	if m.Many {
		g.out = append(g.out, '[')
	}
	for i := range n {
		if i > 0 {
			g.out = append(g.out, ',')
		}
		write(i)
	}
	if m.Many {
		g.out = append(g.out, ']')
	}
}

var samples = map[r4.Primitive][]string{
	r4.Base64Binary: {`"QUJD"`, `"QQ=="`}, r4.Boolean: {"true", "false"}, r4.Canonical: {`"http://a/b|1"`}, r4.Code: {`"a b"`}, r4.Date: {`"2024"`, `"2024-02-29"`},
	r4.DateTime: {`"2024-02"`, `"2024-02-29T23:59:60.123+07:00"`}, r4.Decimal: {"1.50", "-0.0", "1e3", "123456789012345678901234567890.10"}, r4.ID: {`"a-1.B"`},
	r4.Instant: {`"2024-02-29T00:00:00Z"`}, r4.Integer: {"-2147483648", "0", "7"}, r4.Markdown: {`"# a\n\n* b <c> & \"d\""`}, r4.OID: {`"urn:oid:1.2.0.3"`},
	r4.PositiveInt: {"1", "2147483647"}, r4.Text: {`"Nguyễn Ánh"`, `" a\tb\r\nc "`, `"😀 \u0110\\"`}, r4.Time: {`"00:00:00"`, `"23:59:59.5"`}, r4.UnsignedInt: {"0", "12"},
	r4.URI: {`"urn:x:y"`, `"http://a/?b=c&d=<e>"`}, r4.URL: {`"https://a"`}, r4.UUID: {`"urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"`},
	r4.XHTML: {`"<div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"vi\">\n<p>Ánh &amp; em<br/></p></div>"`}, r4.ElementID: {`"x_1"`},
}

func (g *inventor) value(m *r4.Member, depth int) {
	if m.Primitive != r4.None {
		if m.Codes != nil {
			g.out = r4.AppendString(g.out, smallest(m.Codes.List(), g.random))
			return
		}
		some := samples[m.Primitive]
		g.out = append(g.out, some[g.random.IntN(len(some))]...)
		return
	}
	s := m.Shape()
	switch {
	case s == nil:
		g.resource("Basic", depth+1)
		return
	case s.Path == "Reference":
		target := "Patient"
		if t := m.Type.Targets; len(t) > 0 && t[0] != "Resource" {
			target = t[g.random.IntN(len(t))]
		}
		g.out = append(g.out, `{"reference":"`+target+`/1"}`...)
		return
	case m.Codes != nil:
		g.coded(m)
		return
	}
	g.out = append(g.out, '{')
	from := len(g.out)
	g.members(s, depth+1)
	if rest := g.out[from:]; len(rest) == 0 || !bytes.Contains(rest, []byte(`,`)) && bytes.HasPrefix(rest, []byte(`"id":`)) {
		g.out = g.out[:from]
		g.out = append(g.out, `"extension":[{"url":"http://example.vn/y","valueString":"z"}]`...)
	}
	g.out = append(g.out, '}')
}

// coded writes a CodeableConcept or Coding with a code of the required set.
func (g *inventor) coded(m *r4.Member) {
	var coding string
	for _, system := range systems {
		for _, code := range m.Codes.List() {
			if coding == "" && m.Codes.HasIn([]byte(system), []byte(code)) {
				coding = fmt.Sprintf(`{"system":%q,"code":%q}`, system, code)
			}
		}
	}
	if m.Type.Code == "CodeableConcept" {
		coding = `{"coding":[` + coding + `]}`
	}
	g.out = append(g.out, coding...)
}

var systems = []string{
	"http://terminology.hl7.org/CodeSystem/adverse-event-outcome", "http://terminology.hl7.org/CodeSystem/adverse-event-severity",
	"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
	"http://terminology.hl7.org/CodeSystem/condition-clinical", "http://terminology.hl7.org/CodeSystem/condition-ver-status",
	"http://terminology.hl7.org/CodeSystem/applicability", "http://terminology.hl7.org/CodeSystem/measure-improvement-notation",
	"http://terminology.hl7.org/CodeSystem/supply-item-type",
}

// TestInvented: resources of every type, invented by the tables, are found
// right, and are the same after XML; the order of their members apart.
func TestInvented(t *testing.T) {
	elements := map[string]bool{}
	for seed := range uint64(12) {
		for _, typ := range r4.ResourceTypes() {
			g := &inventor{random: rand.New(rand.NewPCG(seed, 7))}
			g.resource(typ, 0)
			d := parse(t, string(g.out))
			for _, i := range Structure(d) {
				t.Fatalf("%s seed %d: %+v\n%s", typ, seed, i, g.out)
			}
			x, err := d.AppendXML(nil)
			if err != nil {
				t.Fatalf("%s seed %d: %v\n%s", typ, seed, err, g.out)
			}
			back, err := r4.ParseXML(x)
			if err != nil {
				t.Fatalf("%s seed %d: %v\n%s", typ, seed, err, x)
			}
			if !same(d.Root(), back.Root()) {
				t.Fatalf("%s seed %d: differs\n%s\n%s", typ, seed, g.out, back.Source())
			}
			if issues := Structure(back); len(issues) > 0 {
				t.Fatalf("%s seed %d: %+v", typ, seed, issues)
			}
			note(d.Root(), typ, elements)
		}
	}
	t.Logf("%d different members", len(elements))
	if len(elements) < 3000 {
		t.Errorf("only %d different members", len(elements))
	}
}

func note(n r4.Node, path string, seen map[string]bool) {
	for name, v := range n.Members() {
		at := path + "." + name
		seen[at] = true
		if strings.Count(at, ".") < 4 {
			for x := range v.Elems() {
				note(x, at, seen)
			}
		}
	}
}

// same compares two trees: members in any order, numbers by their text.
func same(a, b r4.Node) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case r4.Map:
		count := 0
		for name, v := range a.Members() {
			if count++; !same(v, b.Get(name)) {
				return false
			}
		}
		for range b.Members() {
			count--
		}
		return count == 0
	case r4.Array:
		if a.Len() != b.Len() {
			return false
		}
		y := b.First()
		for x := a.First(); x.Exists(); x = x.Next(a) {
			if !same(x, y) {
				return false
			}
			y = y.Next(b)
		}
		return true
	}
	return a.Text() == b.Text()
}
