package param

import (
	"encoding/xml"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/r4"
)

// HoldsText says whether a clause about _text (the narrative) or _content (all
// that a resource says: every string in it, and the narrative) is true of a
// resource (FHIR R4 search.html#content). The specification leaves the language
// of the value to the server. Here: all words must occur, whole and in any
// order; words in double quotes must stand one behind the other; values joined
// by commas are alternatives. Words are compared folded: "nguyen" is "Nguyễn".
// outcome.NotSupported for any other clause.
func HoldsText(d *r4.Doc, c Clause) (bool, error) {
	if c.Param != "_text" && c.Param != "_content" || c.Modifier != "" || c.Chain != nil || c.HasType != "" {
		return false, cannot(c)
	}
	text := " " + strings.Join(TextOf(d, c.Param), "  ") + " "
	for _, m := range c.Values {
		phrases := Phrases(m.Value.Text)
		if len(phrases) > 0 && !slices.ContainsFunc(phrases, func(p string) bool { return !strings.Contains(text, " "+p+" ") }) {
			return true, nil
		}
	}
	return false, nil
}

// Phrases splits what is asked of _text or _content into what must occur, each
// a word or a run of words in quotes, folded. A store finds candidates by their
// words and asks HoldsText.
func Phrases(asked string) (out []string) {
	for i, piece := range strings.Split(asked, `"`) {
		if i%2 == 0 {
			out = append(out, fold.Words(piece)...)
		} else if p := fold.Key(piece); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// TextOf gives the folded pieces of text that _text or _content looks at, in
// order; a phrase never goes from one piece to the next.
func TextOf(d *r4.Doc, param string) (out []string) {
	add := func(s string) {
		if k := fold.Key(s); k != "" {
			out = append(out, k)
		}
	}
	if param == "_text" {
		narrative(d.Root().Get("text").Get("div").Text(), add)
		return out
	}
	var walk func(n r4.Node)
	walk = func(n r4.Node) {
		for c := n.First(); c.Exists(); c = c.Next(n) {
			switch name := string(c.Name()); {
			case name == "div" && c.Kind() == r4.String:
				narrative(c.Text(), add)
			case name == "resourceType":
			case c.Kind() == r4.String:
				add(c.Text())
			default:
				walk(c)
			}
		}
	}
	walk(d.Root())
	return out
}

// narrative gives the text between the tags of XHTML. Tags that don't break a
// line ("H<b>bA1c</b>") part no word; those that do part pieces.
func narrative(div string, add func(string)) {
	dec := xml.NewDecoder(strings.NewReader(div))
	dec.Strict, dec.Entity = false, xml.HTMLEntity
	var b strings.Builder
	flush := func(name string) {
		if !inline[name] {
			add(b.String())
			b.Reset()
		}
	}
	for {
		t, err := dec.Token()
		if err != nil {
			add(b.String())
			return
		}
		switch t := t.(type) {
		case xml.StartElement:
			flush(t.Name.Local)
		case xml.EndElement:
			flush(t.Name.Local)
		case xml.CharData:
			b.Write(t)
		}
	}
}

var inline = map[string]bool{"a": true, "abbr": true, "acronym": true, "b": true, "big": true, "cite": true, "code": true, "dfn": true, "em": true,
	"i": true, "kbd": true, "q": true, "samp": true, "small": true, "span": true, "strong": true, "sub": true, "sup": true, "tt": true, "var": true}
