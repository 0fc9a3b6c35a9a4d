package validate

import (
	"regexp"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// link is an address in a narrative.
type link struct{ attribute, to string }

// attributes of the tags of XHTML, which CheckNarrative has found to be well-formed.
var attribute = regexp.MustCompile(`\s(href|src|id|name|lang|xml:lang|class)\s*=\s*("[^"]*"|'[^']*')`)

// tags of a narrative.
var tag = regexp.MustCompile(`<[a-zA-Z][^<>]*>`)

// anyTag is a tag that begins or ends, or a comment.
var anyTag = regexp.MustCompile(`<!--(?s:.*?)-->|</?[a-zA-Z][^<>]*>`)

// attributes lists attributes of a narrative by name.
func attributes(div string, each func(name, value string)) {
	for _, t := range tag.FindAllString(div, -1) {
		for _, m := range attribute.FindAllStringSubmatch(t, -1) {
			each(m[1], m[2][1:len(m[2])-1])
		}
	}
}

// links lists the addresses in a narrative.
func links(div string) (out []link) {
	attributes(div, func(name, value string) {
		if name == "href" || name == "src" {
			out = append(out, link{name, value})
		}
	})
	return out
}

// followed are the schemes that a reader can follow.
var followed = map[string]bool{"http": true, "https": true, "ftp": true, "mailto": true, "tel": true, "sms": true, "data": true, "cid": true}

// narrativeLinks: a link in a narrative can be followed, and one to "#x" finds
// an element of that id in the narrative or the resource (FHIR R4 narrative.html#id).
func (c *check) narrativeLinks(e elem) {
	div := e.v.Get("div")
	raw, _ := div.Quoted()
	if s := string(raw); !strings.Contains(s, "href") && !strings.Contains(s, "src") {
		return
	}
	at := elem{v: div, typ: "xhtml", at: &step{e.at, "div", "", -1}, in: e.in}
	for _, l := range links(div.Text()) {
		scheme, _, has := strings.Cut(l.to, ":")
		switch {
		case strings.HasPrefix(l.to, "#"):
			if l.to != "#" && !c.anchored(e.in, l.to[1:]) {
				c.errorf(at, outcome.NotFound, "narrative-anchor", "Liên kết trong phần đọc trỏ tới một id không có trong tài nguyên.", "A link of the narrative points at an id that the resource does not have.")
			}
		case has && absolute([]byte(l.to)) && !followed[strings.ToLower(scheme)]:
			c.errorf(at, outcome.Value, "narrative-scheme", "Liên kết trong phần đọc dùng loại địa chỉ không mở được.", "A link of the narrative has a scheme that can't be followed.")
		}
	}
}

// anchored says whether an id or a name of an anchor stands in a resource, its
// narratives or what it contains; of a Bundle's entry, in any of the Bundle.
func (c *check) anchored(in *scope, id string) bool {
	top := in.holder
	for top.up != nil {
		top = top.up
	}
	return anchor(top.res.v, id, 0)
}

func anchor(n r4.Node, id string, depth int) bool {
	for v := n.First(); v.Exists(); v = v.Next(n) {
		switch v.Kind() {
		case r4.String:
			switch string(v.Name()) {
			case "id":
				if v.Text() == id {
					return true
				}
			case "div":
				found := false
				attributes(v.Text(), func(name, value string) { found = found || (name == "id" || name == "name") && value == id })
				if found {
					return true
				}
			}
		case r4.Map, r4.Array:
			if depth <= r4.MaxDepth && anchor(v, id, depth+1) {
				return true
			}
		}
	}
	return false
}

// html looks like a tag of HTML.
var html = regexp.MustCompile(`<[a-zA-Z/!][^<>]*>`)

// markdown holds no HTML: whoever shows it would have to trust it (FHIR R4
// security.html#narrative; the official validator refuses it as well).
func (c *check) markdown(e elem) {
	raw, _ := e.v.Quoted()
	if !strings.Contains(string(raw), "<") {
		return
	}
	if text := e.v.Text(); html.MatchString(quoted.ReplaceAllString(text, "")) {
		c.errorf(e, outcome.Value, "markdown-html", "Văn bản markdown không được chứa thẻ HTML.", "Markdown must not contain HTML tags.")
	}
}

// quoted is code and autolinks in markdown, where "<" is only a letter.
var quoted = regexp.MustCompile("(?s)```.*?```|`[^`]*`|<(https?|mailto|urn):[^<>\\s]*>|<[^<>@\\s]+@[^<>@\\s]+>")
