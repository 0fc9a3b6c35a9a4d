package fhirmap

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// sections of mapping.md: heading → first two columns of its table.
func mappingSections(t *testing.T) map[string][][2]string {
	text, err := os.ReadFile("mapping.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][][2]string{}
	heading := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if h, ok := strings.CutPrefix(line, "## "); ok {
			heading = h
		}
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		col := strings.Split(strings.Trim(line, "|"), "|")
		if first := strings.TrimSpace(col[0]); first != "field" && first != "table" && first != "name" {
			out[heading] = append(out[heading], [2]string{first, strings.Trim(strings.TrimSpace(col[1]), "`")})
		}
	}
	return out
}

// all texts at a path such as Claim.item.modifier(pham_vi): a name in brackets
// picks the items that hold it.
func textsAt(n r4.Node, path string) (out []string) {
	step, rest, more := strings.Cut(path, "/")
	name, pick, picks := strings.Cut(strings.TrimSuffix(step, ")"), "(")
	for _, name := range []string{name, "_" + name} { // the text may stand beside
		for e := range n.Get(name).Elems() {
			if picks && !strings.Contains(string(e.Raw()), pick+`"`) {
				continue
			}
			if more {
				out = append(out, textsAt(e, rest)...)
			} else {
				out = append(out, string(e.Raw()))
			}
		}
	}
	return out
}

var dots = regexp.MustCompile(`\.([a-zA-Z_])`)

// at gives everything that a visit says at a path that begins with a type.
func (v *Visit) textsAt(t *testing.T, path string) string {
	typ, rest, _ := strings.Cut(path, ".")
	var out []string
	for _, n := range ofType(t, v, typ) {
		out = append(out, textsAt(n, dots.ReplaceAllString(rest, "/$1"))...)
	}
	return strings.Join(out, "\n")
}

// another gives a sound value of a field that the sample does not have.
func another(table string, f *claim.Field) string {
	switch {
	case f.Name == "THANG_QT":
		return "11"
	case f.Name == "NAM_QT":
		return "2031"
	case f.Name == "SO_CCCD":
		return "025080000999"
	}
	switch f.Type {
	case claim.TNumber, claim.TDecimal1, claim.TDecimal2, claim.TDecimal3:
		return "8"
	case claim.TDate8, claim.TDate8Or12, claim.TDate8List:
		return "20270107"
	case claim.TDate12, claim.TDate12List:
		return "202701070707"
	case claim.TBirthDate12:
		return "197701070000"
	}
	if f.Name == "GIA_TRI" || f.Name == "CAN_NANG" {
		return "77.7"
	}
	return "Z" + table + f.Name
}

// TestMapping: each field has its line, and the element that the line names is where the field goes.
func TestMapping(t *testing.T) {
	sections := mappingSections(t)
	for n := 1; n <= 5; n++ {
		table := &claim.Tables[n]
		lines := map[string]string{}
		for _, l := range sections[table.Name] {
			if lines[l[0]] != "" || table.Field(l[0]) == nil {
				t.Errorf("%s.%s stands twice or is no field", table.Name, l[0])
			}
			lines[l[0]] = l[1]
		}
		for i := range table.Fields {
			f := &table.Fields[i]
			path := lines[f.Name]
			if path == "" {
				t.Errorf("%s.%s has no line", table.Name, f.Name)
				continue
			}
			h := stayHOSO()
			row := h.Of(n)[0]
			if f.Name == "MA_VAT_TU" || f.Name == "TEN_VAT_TU" || f.Name == "MA_HIEU_SP" || f.Name == "T_TRANTT" {
				row = h.Of(n)[1]
			}
			before := mapped(t, h, source).textsAt(t, path)
			row.Set(i, another(table.Name, f))
			if after := mapped(t, h, source).textsAt(t, path); after == before {
				t.Errorf("%s.%s is not at %s: %q", table.Name, f.Name, path, before)
			}
		}
	}
	papers := map[string]string{}
	for _, l := range sections["Papers"] {
		papers[l[0]] = l[1]
	}
	for n := 6; n <= 15; n++ {
		if name := fmt.Sprintf("XML%d", n); n != 12 && !strings.HasPrefix(papers[name], "package paper") {
			t.Errorf("%s has no line", name)
		}
	}
}

// TestExtensions: the extensions of ours that are written are those that mapping.md lists, and no others.
func TestExtensions(t *testing.T) {
	listed, used := map[string]bool{}, map[string]bool{}
	for _, l := range mappingSections(t)["Our extensions"] {
		listed[l[0]] = true
	}
	var walk func(n r4.Node)
	walk = func(n r4.Node) {
		if name, ok := strings.CutPrefix(n.Get("url").Text(), element.Extension); ok {
			stem, _, more := strings.Cut(name, ":")
			if more {
				stem += ":"
			}
			used[stem] = true
		}
		if n.Kind() == r4.Array {
			for e := range n.Elems() {
				walk(e)
			}
		}
		for _, e := range n.Members() {
			walk(e)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		h := anyHOSO().Draw(t, "hoso")
		h.XML6, h.XML7, h.XML8, h.XML9, h.XML10, h.XML11, h.XML13, h.XML14, h.XML15 = nil, nil, nil, nil, nil, nil, nil, nil, nil
		for _, d := range parsed(t, mapped(t, h, source).all()) {
			walk(d.Root())
		}
	})
	for _, d := range parsed(t, mapped(t, stayHOSO(), source).all()) {
		walk(d.Root())
	}
	for name := range used {
		if !listed[name] {
			t.Errorf("%s is not listed", name)
		}
	}
	for name := range listed {
		if !used[name] {
			t.Errorf("%s is never written", name)
		}
	}
}
