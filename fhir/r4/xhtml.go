package r4

import (
	"bytes"
	"fmt"
	"strings"
)

// The elements and attributes that a narrative may hold: those of txt-1, and
// those that narrative.html allows beside it by naming chapters 7 to 11 and 15
// of HTML 4 (address bdo kbd area map and their attributes, xml:lang, xml:space).
var (
	xhtmlElements = words(`a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img li
		ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var address area bdo kbd map`)
	xhtmlAttributes = words(`abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset
		cite class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel rev rowspan rules
		scope shape span src start style summary tabindex title type valign value vspace width ismap nohref usemap`)
	xhtmlVoid = words("br col hr img area")
)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// CheckNarrative says what is wrong with the text of a narrative's div (FHIR R4
// narrative.html, txt-1 and txt-2): well-formed, one div in the namespace of
// XHTML, only the elements and attributes that are allowed, no script behind a
// link, and some content. It does not allocate when all is well.
func CheckNarrative(div []byte) error {
	s, err := scan(div)
	defer s.release()
	if err != nil {
		return err
	}
	t := &s.t
	if string(t.bytes(t.nodes[0].name)) != "div" {
		return xhtmlFault(t, 0, "root", "Phần mô tả phải nằm trong một phần tử div.", "The narrative must be one div element.")
	}
	for i := range t.nodes {
		if err := t.allowed(i); err != nil {
			return err
		}
	}
	if !t.says() {
		return xhtmlFault(t, 0, "empty", "Phần mô tả không có nội dung (txt-2).", "The narrative has no content (txt-2).")
	}
	return nil
}

func xhtmlFault(t *xtree, at int32, key, vi, en string) error {
	e := xmlFault(t.src, int(at), key, vi, en)
	e.Key = "xhtml." + key
	return e
}

// allowed checks element i and its attributes (txt-1).
func (t *xtree) allowed(i int) error {
	n := &t.nodes[i]
	if n.space != spaceXHTML {
		return xhtmlFault(t, n.all.from, "namespace", "Phần mô tả không thuộc không gian tên XHTML.", "The narrative is not in the XHTML namespace.")
	}
	if name := t.bytes(n.name); !xhtmlElements[string(name)] {
		return xhtmlFault(t, n.all.from, "element", fmt.Sprintf("Phần mô tả không được chứa phần tử %q (txt-1).", short(name)),
			fmt.Sprintf("A narrative must not hold the element %q (txt-1).", short(name)))
	}
	for k := n.attrs.from; k < n.attrs.to; k++ {
		a := &t.attrs[k]
		if a.declares {
			continue
		}
		name := t.bytes(a.name)
		if a.prefixed && !(a.space == spaceXML && (string(name) == "lang" || string(name) == "space")) || !a.prefixed && !xhtmlAttributes[string(name)] {
			return xhtmlFault(t, a.name.from, "attribute", fmt.Sprintf("Phần mô tả không được chứa thuộc tính %q (txt-1).", short(name)),
				fmt.Sprintf("A narrative must not hold the attribute %q (txt-1).", short(name)))
		}
		if string(name) != "href" && string(name) != "src" {
			continue
		}
		if t.buf = t.appendValue(t.buf[:0], a); runs(t.buf) {
			return xhtmlFault(t, a.name.from, "link", "Đường dẫn trong phần mô tả chứa mã chạy được.", "A link of the narrative holds a script.")
		}
	}
	return nil
}

// says is txt-2: some text that is not white space, or an image.
func (t *xtree) says() bool {
	for i := range t.nodes {
		if t.nodes[i].loose >= 0 || string(t.bytes(t.nodes[i].name)) == "img" {
			return true
		}
	}
	return false
}

// scheme appends the scheme of a link to buf, in lower case and without what
// browsers pass over; nothing of a relative one.
func scheme(buf, link []byte) []byte {
	for _, c := range link {
		switch {
		case c == ':':
			return buf
		case c == '/' || c == '?' || c == '#' || len(buf) == cap(buf):
			return nil
		case c <= ' ' || c == 0x7F:
		case c >= 'A' && c <= 'Z':
			buf = append(buf, c|0x20)
		default:
			buf = append(buf, c)
		}
	}
	return nil
}

// runs says whether a link is a script.
func runs(link []byte) bool {
	var buf [16]byte
	switch string(scheme(buf[:0], link)) {
	case "javascript", "vbscript", "livescript":
		return true
	}
	return false
}

// SafeNarrative gives the HTML of a narrative that is safe to show to anyone:
// elements that aren't allowed are left out but for their text (script and
// style with it), and so are all attributes but the few that carry meaning;
// links lead to http, https, mailto, tel or inside the narrative, pictures are
// only those that come with it. The error says why a text can't be shown.
func SafeNarrative(div string) (string, error) {
	s, err := scan([]byte(div))
	defer s.release()
	if err != nil {
		return "", err
	}
	return string(s.t.safe(make([]byte, 0, len(div)), 0)), nil
}

var xhtmlSafe = words("abbr align alt colspan dir headers height href lang rowspan scope span src start summary title type valign width")

// hidden elements are left out with all they hold.
var hidden = words("script style head iframe frame frameset object embed applet template noscript svg math form textarea select title")

func (t *xtree) safe(b []byte, i int32) []byte {
	n := &t.nodes[i]
	name := string(t.bytes(n.name))
	if hidden[strings.ToLower(name)] {
		return b
	}
	keep := xhtmlElements[name] && name != "map" && name != "area"
	if keep {
		b = append(append(b, '<'), name...)
		b = t.safeAttributes(b, n)
		b = append(b, '>')
		if xhtmlVoid[name] {
			return b
		}
	}
	at := n.inner.from
	for j := range t.children(i) {
		b = t.safeText(b, at, t.nodes[j].all.from)
		b = t.safe(b, j)
		at = t.nodes[j].all.to
	}
	b = t.safeText(b, at, n.inner.to)
	if keep {
		b = append(append(append(b, "</"...), name...), '>')
	}
	return b
}

func (t *xtree) safeAttributes(b []byte, n *xnode) []byte {
	for k := n.attrs.from; k < n.attrs.to; k++ {
		a := &t.attrs[k]
		name := string(t.bytes(a.name))
		if a.declares || a.prefixed || !xhtmlSafe[name] {
			continue
		}
		v := t.value(a)
		switch name {
		case "href":
			var buf [16]byte
			switch string(scheme(buf[:0], v)) {
			case "http", "https", "mailto", "tel":
			default:
				if len(v) < 2 || v[0] != '#' {
					continue
				}
			}
		case "src":
			if head := strings.ToLower(string(v[:min(len(v), 16)])); !strings.HasPrefix(head, "data:image/png") &&
				!strings.HasPrefix(head, "data:image/jpeg") && !strings.HasPrefix(head, "data:image/gif") && !strings.HasPrefix(head, "data:image/webp") {
				continue
			}
		}
		b = append(append(append(b, ' '), name...), `="`...)
		b, _ = appendEscaped(b, v) // the scanner let no character pass that XML can't hold
		b = append(b, '"')
	}
	if string(t.bytes(n.name)) == "a" {
		b = append(b, ` rel="noopener noreferrer nofollow"`...)
	}
	return b
}

// safeText appends the text between two tags, without comments and instructions.
func (t *xtree) safeText(b []byte, from, to int32) []byte {
	raw := t.src[from:to]
	for len(raw) > 0 {
		switch {
		case bytes.HasPrefix(raw, []byte("<!--")):
			raw = behind(raw, "-->")
		case bytes.HasPrefix(raw, []byte("<![CDATA[")):
			rest := behind(raw, "]]>")
			b = appendText(b, raw[9:len(raw)-len(rest)-3])
			raw = rest
		case raw[0] == '<':
			raw = behind(raw, "?>")
		case raw[0] == '&':
			r, n := reference(raw)
			b = appendText(b, []byte(string(r)))
			raw = raw[n:]
		default:
			end := bytes.IndexAny(raw, "<&")
			if end < 0 {
				end = len(raw)
			}
			b = appendText(b, raw[:end])
			raw = raw[end:]
		}
	}
	return b
}

func behind(b []byte, end string) []byte {
	return b[bytes.Index(b, []byte(end))+len(end):]
}

// appendText escapes text that stands between tags.
func appendText(b, text []byte) []byte {
	for _, c := range text {
		switch c {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		default:
			b = append(b, c)
		}
	}
	return b
}

// div gives the narrative as text that stands for itself: the div as written
// where it declares its namespace and uses no prefix, else written anew.
func (t *xtree) div(i int32) []byte {
	n := &t.nodes[i]
	plain := n.declares && !n.prefixed
	for j := i; j < n.next && plain; j++ {
		plain = !t.nodes[j].prefixed
		for k := t.nodes[j].attrs.from; k < t.nodes[j].attrs.to; k++ {
			plain = plain && !(t.attrs[k].prefixed && (t.attrs[k].declares || t.attrs[k].space != spaceXML))
		}
	}
	if plain {
		return t.bytes(n.all)
	}
	return t.renew(nil, i, true)
}

// renew writes an element of the narrative without prefixes; the outermost one declares the namespace.
func (t *xtree) renew(b []byte, i int32, outer bool) []byte {
	n := &t.nodes[i]
	name := t.bytes(n.name)
	b = append(append(b, '<'), name...)
	if outer {
		b = append(b, ` xmlns="`+nsXHTML+`"`...)
	}
	for k := n.attrs.from; k < n.attrs.to; k++ {
		a := &t.attrs[k]
		if a.declares {
			continue
		}
		b = append(b, ' ')
		if a.space == spaceXML {
			b = append(b, "xml:"...)
		}
		b = append(append(b, t.bytes(a.name)...), `="`...)
		b, _ = appendEscaped(b, t.value(a)) // the scanner let no character pass that XML can't hold
		b = append(b, '"')
	}
	if n.inner.from == n.inner.to {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	at := n.inner.from
	for j := range t.children(i) {
		b = append(b, t.src[at:t.nodes[j].all.from]...)
		b = t.renew(b, j, false)
		at = t.nodes[j].all.to
	}
	b = append(b, t.src[at:n.inner.to]...)
	return append(append(append(b, "</"...), name...), '>')
}
