package validate

import (
	"strings"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// extension holds an extension against its definition (FHIR R4
// extensibility.html, defining-extensions.html). Of one that is not known only
// a modifier is refused: what changes the meaning must be understood.
func (c *check) extension(e elem) {
	url := e.v.Get("url").Text()
	if url == "" || e.at.up != nil && insideExtension(e) && !absolute([]byte(url)) || c.v.source == nil && e.name() != "modifierExtension" {
		return
	}
	p := c.profile(url)
	modifier := e.name() == "modifierExtension"
	switch {
	case c.err != nil:
	case p == nil && modifier && !forExamples(url):
		c.errorf(e, outcome.NotSupported, "modifier-unknown", "Không có định nghĩa của phần mở rộng làm đổi nghĩa này, nên không thể nhận.", "This modifier extension is not known, so its element can't be understood.")
	case p == nil && c.o.KnownExtensions && !forExamples(url) && !strings.HasPrefix(url, "http://hl7.org/fhir/"):
		c.errorf(e, outcome.NotFound, "extension-unknown", "Không có định nghĩa của phần mở rộng này.", "The definition of this extension is not at hand.")
	case p == nil && !c.first("extension "+url): // told once
	case p == nil:
		c.warnf(e, outcome.NotFound, "extension-unknown", "Không có định nghĩa của phần mở rộng này, nên không kiểm tra được.", "The definition of this extension is not at hand, so it was not checked.")
	case p.typ != "Extension":
		c.errorf(e, outcome.Structure, "extension-url", "url này không phải của một phần mở rộng.", "This url is not that of an extension.")
	default:
		if modifier != p.modifies() {
			c.errorf(e, outcome.Structure, "modifier", "Phần mở rộng này phải đứng trong %[1]s.", "This extension must stand in %[1]s.", map[bool]string{true: "modifierExtension", false: "extension"}[p.modifies()])
		}
		c.context(e, p)
		c.conform(e, p)
	}
}

func insideExtension(e elem) bool {
	return e.at.up.name == "extension" || e.at.up.name == "modifierExtension"
}

// forExamples says whether a url is one that the specification keeps for examples.
func forExamples(url string) bool {
	return strings.Contains(url, "example.org") || strings.Contains(url, "acme.com")
}

// modifies says whether the definition of an extension makes it a modifier.
func (p *profile) modifies() bool { return p.modifier }

// context says whether an extension may stand where it stands.
func (c *check) context(e elem, p *profile) {
	if e.at.up == nil || strings.HasPrefix(p.url, structures+"structuredefinition-") || p.url == structures+"regex" {
		return // R4's own definitions use those of definitions elsewhere than these say
	}
	ways := c.ways(e)
	if len(p.contexts) > 0 && !c.mayStand(e, p, ways) {
		var all []string
		for _, u := range p.contexts {
			all = append(all, u.expression)
		}
		at := elem{v: e.v, at: e.at.up, in: e.in}
		c.errorf(at, outcome.Structure, "extension-context", "Phần mở rộng %[1]s không được dùng ở đây, chỉ ở: %[2]s.", "The extension %[1]s may not be used here, only at: %[2]s.", p.url, strings.Join(all, ", "))
	}
	if len(p.contextRules) > 0 && e.at.up != nil {
		if holder, ok := c.at(e.in.res, e.at.up); ok {
			c.asked(holder, p.contextRules)
		}
	}
}

func (c *check) mayStand(e elem, p *profile, ways map[string]bool) bool {
	for _, u := range p.contexts {
		switch u.kind {
		case "extension":
			if c.holderURL(e) == u.expression {
				return true
			}
		case "fhirpath":
			holder, ok := c.at(e.in.res, e.at.up)
			if !ok {
				return true
			}
			x, err := fhirpath.Compile(u.expression)
			if err != nil {
				return true // what can't be read refuses nothing
			}
			for _, focus := range []elem{holder, e.in.res} {
				out, err := x.Run(c.ctx, focus.item(), c.env(focus, e.in))
				if err != nil {
					return true
				}
				for _, i := range out {
					if i.Node == holder.v || !i.Node.Exists() && focus.v == holder.v && i.Text() == "true" {
						return true
					}
				}
			}
		default:
			if ways[strings.TrimPrefix(strings.TrimSuffix(u.expression, "[x]"), structures)] {
				return true
			}
		}
	}
	return false
}

// holderURL is the url of the extension that one stands in.
func (c *check) holderURL(e elem) string {
	up := e.at.up
	if up != nil && up.name == "value" && up.up != nil { // on the value of that extension
		up = up.up
	}
	if up == nil || up.name != "extension" && up.name != "modifierExtension" {
		return ""
	}
	holder, ok := c.at(e.in.res, up)
	if !ok {
		return ""
	}
	return holder.v.Get("url").Text()
}

// ways are the names by which a context may call the element that an extension
// stands on: its path, the path in the type that defines it, its type and what
// that derives from.
func (c *check) ways(e elem) map[string]bool {
	out := map[string]bool{}
	up := e.at.up
	if up == nil {
		return out
	}
	holder, ok := c.at(e.in.res, up)
	if !ok {
		return out
	}
	for t := holder.fhirType(); t != ""; t = parentOf(t) {
		out[t] = true
	}
	out[holder.typ] = true
	if holder.slot != nil {
		out[strings.TrimSuffix(holder.slot.Path, "[x]")] = true
	}
	if holder.v != e.in.res.v {
		out[e.in.res.typ+strings.TrimPrefix(up.path(), e.in.res.at.path())] = true
	}
	out["Element"] = true // official examples use it for whole resources too
	if has := func(name string) bool { _, ok := r4.ElementAt(holder.typ + "." + name); return ok }; has("url") && has("status") && has("publisher") {
		out["CanonicalResource"], out["MetadataResource"] = true, true // abstract types of R5 that definitions for R4 name
	}
	return out
}

// at finds the element at a step of a resource by going down from it.
func (c *check) at(res elem, to *step) (elem, bool) {
	if to == res.at || to == nil {
		return res, true
	}
	if *to == *res.at {
		return res, true
	}
	up, ok := c.at(res, to.up)
	if !ok || to.up == nil {
		return elem{}, false
	}
	kids := c.children(up)
	defer c.free(kids)
	for _, k := range kids {
		if k.at.name == to.name && k.at.index == to.index {
			return k, true
		}
	}
	return elem{}, false
}
