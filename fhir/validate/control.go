package validate

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// elemExtensions are the extensions of an ElementDefinition that constrain a
// narrative: where each part of it must say its source, and in which languages
// it has parts (narrative-source-control, narrative-language-control).
type elemExtensions struct {
	source    bool
	languages []string // codes, "_yes", "_no", "_resource"
}

func (x *elemExtensions) read(e r4.Node) {
	for ext := range e.Get("extension").Elems() {
		value := ext.Get("valueCode").Text()
		switch ext.Get("url").Text() {
		case structures + "narrative-source-control":
			x.source = value != "ignore"
		case structures + "narrative-language-control":
			x.languages = append(x.languages, value)
		}
	}
}

func (x *elemExtensions) check(c *check, e elem) {
	if !x.source && len(x.languages) == 0 || e.typ != "Narrative" {
		return
	}
	parts, text := topParts(e.v.Get("div").Text())
	if x.source {
		for _, p := range parts {
			if !slices.ContainsFunc(strings.Fields(p["class"]), func(s string) bool { return s == "boilerplate" || s == "generated" || s == "original" }) {
				text = true
			}
		}
		if text {
			c.errorf(e, outcome.BusinessRule, "narrative-source", "Hồ sơ đòi mỗi phần của phần đọc ghi nguồn (class: boilerplate, generated, original).", "The profile wants each part of the narrative to say its source (class: boilerplate, generated, original).")
		}
	}
	if len(x.languages) > 0 {
		x.language(c, e, parts)
	}
}

func (x *elemExtensions) language(c *check, e elem, parts []map[string]string) {
	var found []string
	for _, p := range parts {
		if l := p["lang"]; l != "" {
			found = append(found, l)
		} else if l := p["xml:lang"]; l != "" {
			found = append(found, l)
		}
	}
	for _, want := range x.languages {
		bad := false
		switch want {
		case "_no":
			bad = len(found) > 0
		case "_yes":
			bad = len(found) == 0
		case "_resource":
			l := e.in.res.v.Get("language").Text()
			bad = l != "" && !slices.Contains(found, l)
		default:
			bad = !slices.Contains(found, want)
		}
		if bad {
			c.errorf(e, outcome.BusinessRule, "narrative-language", "Các phần theo ngôn ngữ của phần đọc không như hồ sơ quy định.", "The language sections of the narrative are not those that the profile wants.")
			return
		}
	}
}

// topParts gives the attributes of the elements directly inside the div, and whether there is text beside them.
func topParts(div string) (parts []map[string]string, text bool) {
	depth, from := 0, 0
	for _, at := range anyTag.FindAllStringIndex(div, -1) {
		if depth == 1 && strings.TrimSpace(div[from:at[0]]) != "" {
			text = true
		}
		from = at[1]
		switch t := div[at[0]:at[1]]; {
		case strings.HasPrefix(t, "<!"):
			continue
		case strings.HasPrefix(t, "</"):
			depth--
		default:
			if depth == 1 {
				p := map[string]string{}
				attributes(t, func(name, value string) { p[name] = value })
				parts = append(parts, p)
			}
			if !strings.HasSuffix(t, "/>") {
				depth++
			}
		}
	}
	return parts, text
}
