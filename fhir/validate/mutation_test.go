package validate

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

// mutation is one way to spoil a resource: a piece of its text replaced, and the rule that must find it.
type mutation struct {
	what     string
	from, to int
	with     string
	key      string // of the issue, or the error of reading: "json."
}

// spoiler collects the mutations that a resource allows, with the tables as guide.
type spoiler struct {
	src []byte
	out []mutation
}

func (p *spoiler) add(what string, n r4.Node, with, key string) {
	from, to := n.Range()
	p.out = append(p.out, mutation{what, from, to, with, key})
}

// whole gives the range of a member with its name and one comma.
func (p *spoiler) whole(n r4.Node) (from, to int) {
	from, to = n.Range()
	from = bytes.LastIndex(p.src[:from], []byte(`"`+string(n.Name())+`"`))
	for after := to; after < len(p.src); after++ {
		if c := p.src[after]; c == ',' {
			return from, after + 1
		} else if c > ' ' {
			break
		}
	}
	for before := from - 1; before >= 0; before-- {
		if c := p.src[before]; c == ',' {
			return before, to
		} else if c > ' ' {
			break
		}
	}
	return from, to
}

func (p *spoiler) object(n r4.Node, s *r4.Shape) {
	open, _ := n.Range()
	p.out = append(p.out, mutation{"unknown member", open + 1, open + 1, `"xyzzy":1,`, "unknown"})
	members := 0
	for range n.Members() {
		members++
	}
	for v := n.First(); v.Exists(); v = v.Next(n) {
		m := s.Member(v.Name())
		if m == nil {
			continue
		}
		slot := &s.Slots[m.Slot]
		if slot.Min > 0 && members > 1 && !n.Get("_"+m.Name).Exists() {
			from, to := p.whole(v)
			p.out = append(p.out, mutation{"required element deleted", from, to, "", "required"})
		}
		p.member(v, m)
	}
}

func (p *spoiler) member(v r4.Node, m *r4.Member) {
	raw := string(v.Raw())
	if m.Many {
		p.add("array unwrapped", v, string(v.First().Raw()), "array")
		p.add("empty array", v, "[]", "json.")
	} else {
		p.add("array made", v, "["+raw+"]", "single")
	}
	for x := range v.Elems() {
		p.item(x, m)
	}
}

func (p *spoiler) item(x r4.Node, m *r4.Member) {
	switch {
	case x.Kind() == r4.Null:
		return
	case m.Primitive == r4.None:
		p.add("string for an object", x, `"x"`, map[bool]string{true: "resource", false: "type"}[m.Shape() == nil])
		p.add("empty object", x, "{}", "json.")
		if s := m.Shape(); s != nil {
			p.object(x, s)
		} else if s := r4.ResourceShape([]byte(x.Get("resourceType").Text())); s != nil {
			p.object(x, s)
			p.add("unknown resource", x.Get("resourceType"), `"Patiant"`, "resource-type")
		}
		return
	case m.Primitive == r4.Boolean:
		p.add("boolean in quotes", x, `"`+x.Text()+`"`, "type")
		return
	case m.Primitive.Number():
		p.add("number in quotes", x, `"`+x.Text()+`"`, "type")
		if m.Primitive != r4.Decimal {
			p.add("broken number", x, "1.5", "form")
		}
		return
	}
	p.add("object for a string", x, `{"a":1}`, "type")
	p.add("number for a string", x, "17", "type")
	p.add("empty string", x, `""`, "json.")
	switch m.Primitive {
	case r4.Code:
		p.add("code with blanks", x, `" a  b"`, "form")
		if m.Codes != nil {
			p.add("bad code", x, `"xyzzy"`, "code")
		}
	case r4.Date, r4.DateTime, r4.Instant:
		p.add("day that does not exist", x, `"2023-02-30"`, "form")
	case r4.URI, r4.URL, r4.Canonical, r4.ID, r4.OID, r4.UUID:
		p.add("white space", x, `"a b"`, "form")
	case r4.Time, r4.Base64Binary:
		p.add("letters", x, `"25:%"`, "form")
	case r4.XHTML:
		p.add("script", x, `"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"`, "narrative")
	}
}

// TestMutations: every way to spoil each of 100 right resources is found, by the rule that is for it.
func TestMutations(t *testing.T) {
	docs := right(t)
	random := rand.New(rand.NewPCG(1, 2)) // the same 100 each time
	random.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	kinds := map[string]int{}
	n, each := 0, 400
	if raced() {
		each = 40
	}
	for _, d := range docs[:100] {
		p := &spoiler{src: d.Source()}
		p.object(d.Root(), r4.ResourceShape([]byte(d.Type())))
		random.Shuffle(len(p.out), func(i, j int) { p.out[i], p.out[j] = p.out[j], p.out[i] })
		for _, m := range p.out[:min(len(p.out), each)] {
			n++
			kinds[m.what]++
			src := string(p.src[:m.from]) + m.with + string(p.src[m.to:])
			if !m.foundIn([]byte(src)) {
				t.Errorf("%s/%s: not found: %s at byte %d: …%s…", d.Type(), d.ID(), m.what, m.from, src[max(0, m.from-60):min(len(src), m.from+60)])
			}
		}
	}
	t.Logf("%d mutations of %d kinds: %v", n, len(kinds), kinds)
	if len(kinds) < 20 || n < 20*each {
		t.Errorf("only %d mutations of %d kinds", n, len(kinds))
	}
}

func (m mutation) foundIn(src []byte) bool {
	d, err := r4.Parse(src)
	if err != nil {
		return m.key == "json."
	}
	for _, i := range Structure(d) {
		if i.Key == "validate."+m.key && i.Severity == Error && !strings.Contains(i.EN, "%!") {
			return true
		}
	}
	return false
}
