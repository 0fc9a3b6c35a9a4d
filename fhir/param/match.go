package param

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/fold"
)

var prefixes = []string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}

// match reads one value; it is several where an id alone may be that of several types.
func (p *reader) match(d *parameter, key, modifier, s string) ([]Match, error) {
	m := Match{Prefix: "eq"}
	if modifier == "missing" {
		m.Missing = s == "true"
		m.Value = Value{Param: d.Code, Kind: d.Kind}
		return []Match{m}, among(key, s, "true", "false")
	}
	if s == "" {
		return nil, bad(key, "giá trị trống", "the value is blank")
	}
	if d.Kind == Date || d.Kind == Number || d.Kind == Quantity {
		if len(s) > 2 && slices.Contains(prefixes, s[:2]) {
			m.Prefix, s = s[:2], s[2:]
		}
		if m.Prefix != "eq" && d.compare != nil && !slices.Contains(d.compare, m.Prefix) {
			return nil, bad(key, "không dùng được tiền tố này", "this prefix can't be used here")
		}
	}
	list := []Match{m}
	var err error
	switch v := &list[0].Value; d.Kind {
	case Token:
		err = tokenAsked(&list[0], d, key, modifier, s)
	case String:
		err = textAsked(v, d, key, modifier, s)
	case URI:
		v.Text = unescape(s)
		if modifier != "" && strings.HasPrefix(v.Text, "urn:") {
			err = bad(key, "URN không có cấp bậc", "a URN has no levels")
		}
	case Date:
		err = p.date(v, key, m.Prefix, s)
	case Reference:
		list, err = p.reference(d, key, modifier, s)
	case Number, Quantity:
		err = p.amount(&list[0], d, key, s)
	case Composite:
		list[0].Parts, err = p.combination(d, key, s)
	case Special:
		err = nearby(&list[0], key, s)
	}
	for i := range list {
		list[i].Value.Param, list[i].Value.Kind = d.Code, d.Kind
	}
	return list, err
}

// tokenAsked reads "code", "system|code", "|code", "system|"; of :of-type
// "system|code|value", which goes to OfType and Code; of :text and of :in and
// :not-in (the URI of a value set) the whole goes to Text.
func tokenAsked(m *Match, d *parameter, key, modifier, s string) error {
	v := &m.Value
	part := split(s, '|')
	for i := range part {
		part[i] = unescape(part[i])
	}
	switch {
	case modifier == "text":
		if v.Text = unescape(s); fold.Key(v.Text) == "" {
			return bad(key, "giá trị không có chữ hay số", "the value has no letter or digit")
		}
	case modifier == "in" || modifier == "not-in":
		v.Text = unescape(s)
	case modifier == "of-type":
		if len(part) != 3 || part[0] == "" || part[1] == "" || part[2] == "" {
			return bad(key, "phải có dạng hệthống|mãloại|giátrị", "must be system|code|value")
		}
		v.OfType, v.Code = []string{part[0] + "|" + part[1]}, part[2]
	case d == idParameter && !isID(s):
		return bad(key, "không phải mã tài nguyên", "is no id of a resource")
	case len(part) == 1:
		v.Code, m.AnySystem = part[0], true
	default:
		v.System, v.Code = part[0], strings.Join(part[1:], "|")
		if v.System+v.Code == "" {
			return bad(key, "giá trị trống", "the value is blank")
		}
	}
	return nil
}

func textAsked(v *Value, d *parameter, key, modifier, s string) error {
	v.Text = unescape(s)
	if d.Code == "_text" || d.Code == "_content" {
		if strings.Count(v.Text, `"`)%2 != 0 {
			return bad(key, "thiếu dấu nháy đóng", "a closing quote is missing")
		}
	}
	if modifier != "exact" && fold.Key(v.Text) == "" {
		return bad(key, "giá trị không có chữ hay số", "the value has no letter or digit")
	}
	return nil
}

// plus finds the zone of an instant whose "+" a form has turned into a blank.
var plus = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT[0-9:.]+) (\d\d:\d\d)$`)

// dated is how FHIR writes times (datatypes.html#dateTime), with what search leaves out: seconds, the zone.
var dated = regexp.MustCompile(`^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$`)

func (p *reader) date(v *Value, key, prefix, s string) error {
	s = plus.ReplaceAllString(unescape(s), "$1+$2")
	var ok bool
	if v.Lo, v.Hi, ok = span(s); !ok || !dated.MatchString(s) {
		return bad(key, "không phải ngày giờ kiểu FHIR (ví dụ 2026-03-10)", "is no FHIR date (such as 2026-03-10)")
	}
	v.Text = s
	if prefix == "ap" { // a tenth of the time between then and now, on both sides (search.html#prefix)
		now := p.o.Now.UnixMilli()
		away := max(v.Lo-now, now-v.Hi, 0) / 10
		v.Lo, v.Hi = v.Lo-away, v.Hi+away
	}
	return nil
}

// reference reads an id, "Type/id" or a URL (search.html#reference).
func (p *reader) reference(d *parameter, key, modifier, s string) ([]Match, error) {
	m := Match{Prefix: "eq"}
	if modifier == "identifier" {
		part := split(s, '|')
		if len(part) != 2 || part[1] == "" {
			return nil, bad(key, "phải có dạng hệthống|giátrị", "must be system|value")
		}
		m.Value.System, m.Value.Code = unescape(part[0]), unescape(part[1])
		return []Match{m}, nil
	}
	s = unescape(s)
	for _, b := range p.o.Base {
		if rest, ok := strings.CutPrefix(s, b); ok && reference(rest).ID != "" {
			s = rest
		}
	}
	levels := modifier == "above" || modifier == "below"
	if levels {
		modifier = ""
	}
	switch m.Value = reference(s); {
	case levels && (m.Value.ID != "" || !strings.Contains(s, ":")):
		return nil, notSupported(key, "chỉ dùng được với địa chỉ canonical", "can be asked of canonical URLs only")
	case strings.Contains(s, "/_history/"):
		return nil, notSupported(key, "không tìm theo phiên bản của tài nguyên", "references are not searched by version")
	case m.Value.ID != "":
		if !isID(m.Value.ID) || modifier != "" && m.Value.Type != modifier {
			return nil, bad(key, "tham chiếu không đúng hoặc khác loại", "the reference is not right, or of another type")
		}
		return []Match{m}, nil
	case isID(s):
		return p.anyType(d, key, modifier, s)
	case !strings.Contains(s, ":"):
		return nil, bad(key, "phải là mã, Loại/mã hoặc URL", "must be an id, Type/id or a URL")
	case modifier != "" && !strings.Contains(s, "/"+modifier+"/"):
		return nil, bad(key, "tham chiếu khác loại", "the reference is of another type")
	}
	return []Match{m}, nil
}

// anyType reads an id alone: it may be that of each type at which the reference points.
func (p *reader) anyType(d *parameter, key, modifier, id string) (out []Match, err error) {
	types := d.Targets
	if modifier != "" {
		types = []string{modifier}
	}
	if len(types) == 0 || len(types) > maxAlternatives {
		return nil, bad(key, "hãy ghi loại, ví dụ Patient/123", "name the type, as in Patient/123")
	}
	for _, t := range types {
		out = append(out, Match{Prefix: "eq", Value: Value{Type: t, ID: id}})
	}
	return out, nil
}

// amount reads a number, "number|system|code" or "number||code".
func (p *reader) amount(m *Match, d *parameter, key, s string) error {
	part := split(s, '|')
	v, ok := asked(part[0])
	if !ok || d.Kind == Number && len(part) > 1 {
		return bad(key, "không phải số", "is no number")
	}
	if m.AnySystem = true; len(part) > 1 {
		if len(part) != 3 || part[2] == "" {
			return bad(key, "phải có dạng số|hệthống|đơnvị", "must be number|system|code")
		}
		v.System, v.Code = unescape(part[1]), unescape(part[2])
		m.AnySystem = v.System == ""
	}
	if m.Prefix == "ap" {
		near(&v)
	}
	if d.Kind == Quantity {
		v.Base = p.r.base(v)
	}
	m.Value = v
	return nil
}

// combination reads the parts of a composite (search.html#combining).
func (p *reader) combination(d *parameter, key, s string) (out []Match, err error) {
	list := split(s, '$')
	if len(list) != len(d.parts) {
		return nil, bad(key, "không đủ các phần ngăn bằng dấu $", "needs its parts joined by $")
	}
	for i, part := range d.parts {
		m, err := p.match(part, key, "", list[i])
		if err != nil {
			return nil, err
		}
		if len(m) != 1 {
			return nil, bad(key, "hãy ghi loại, ví dụ Patient/123", "name the type, as in Patient/123")
		}
		out = append(out, m[0])
	}
	return out, nil
}

// split cuts at a separator that no backslash escapes (search.html#escaping); the pieces keep their escapes.
func split(s string, sep byte) (out []string) {
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

var unescaper, escaper = strings.NewReplacer(`\\`, `\`, `\,`, `,`, `\|`, `|`, `\$`, `$`), strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`)

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return unescaper.Replace(s)
}

func escape(s string) string { return escaper.Replace(s) }
