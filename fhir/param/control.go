package param

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// control reads the parameters that say how to answer, not what to look for
// (search.html#return); known is false for all others.
func (p *reader) control(key, text string, times int) (known bool, err error) {
	name, modifier, modified := strings.Cut(key, ":")
	read := controls[name]
	if read == nil {
		return false, nil
	}
	if modified && !(modifier == "iterate" && (name == "_include" || name == "_revinclude")) {
		return true, bad(key, "không có bổ từ này", "there is no such modifier")
	}
	if times > 1 && !slices.Contains([]string{"_include", "_revinclude", "_elements", "_filter", "_sort"}, name) {
		return true, bad(key, "chỉ được nêu một lần", "may be given once only")
	}
	return true, read(p, key, text)
}

var controls = map[string]func(p *reader, key, text string) error{
	"_type": func(*reader, string, string) error { return nil }, // read first
	"_sort": (*reader).sort, "_count": (*reader).count, "_elements": (*reader).elements,
	"_include": (*reader).include, "_revinclude": (*reader).include,
	"_list": (*reader).list, "_filter": (*reader).expression,
	"_summary": func(p *reader, key, text string) error {
		if p.q.Summary != "count" { // _count=0 says it already
			p.q.Summary = text
		}
		return among(key, text, "true", "text", "data", "count", "false")
	},
	"_total": func(p *reader, key, text string) error {
		p.q.Total = text
		return among(key, text, "none", "estimate", "accurate")
	},
	"_cursor": func(p *reader, _, text string) error { p.q.Cursor = text; return nil },
	"_format": func(*reader, string, string) error { return nil },
	"_pretty": func(*reader, string, string) error { return nil },
	"_contained": func(_ *reader, key, text string) error {
		if err := among(key, text, "false", "true", "both"); err != nil || text == "false" {
			return err
		}
		return notSupported(key, "không tìm trong tài nguyên nằm bên trong tài nguyên khác", "contained resources are not searched")
	},
	"_containedType": func(_ *reader, key, text string) error { return among(key, text, "container", "contained") },
	"_query": func(_ *reader, key, _ string) error {
		return notSupported(key, "máy chủ không có truy vấn đặt tên", "the server has no named queries")
	},
}

func among(key, text string, all ...string) error {
	if slices.Contains(all, text) {
		return nil
	}
	return bad(key, "chỉ nhận "+strings.Join(all, ", "), "takes one of "+strings.Join(all, ", "))
}

func (p *reader) sort(key, text string) error {
	for s := range strings.SplitSeq(text, ",") {
		code, desc := strings.CutPrefix(s, "-")
		for _, typ := range p.over() {
			d, err := p.r.find(typ, code)
			if err != nil {
				return err
			}
			if d.Kind == Composite || d.Kind == Special || d.expr == nil && d != idParameter && d != updatedParameter {
				return notSupported(key, "không sắp xếp được theo tham số này", "this parameter gives no order")
			}
		}
		if slices.ContainsFunc(p.q.Sort, func(s Sort) bool { return s.Param == code }) {
			return bad(key, "một tham số được nêu hai lần", "a parameter is named twice")
		}
		p.q.Sort = append(p.q.Sort, Sort{code, desc})
	}
	return nil
}

func (p *reader) count(key, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || text[0] == '+' {
		return bad(key, "phải là số nguyên không âm", "must be a whole number, 0 or more")
	}
	if p.q.Count = min(n, MaxCount); n == 0 {
		p.q.Summary = "count"
	}
	return nil
}

// elements reads names of elements right under the resource (search.html#elements).
func (p *reader) elements(key, text string) error {
	for name := range strings.SplitSeq(text, ",") {
		for _, typ := range p.over() {
			if typ == "" {
				typ = "Resource"
			}
			_, plain := r4.ElementAt(typ + "." + name)
			_, choice := r4.ElementAt(typ + "." + name + "[x]")
			if name == "" || strings.ContainsAny(name, ".[") || !plain && !choice {
				return bad(key, "không có phần tử này", "there is no such element")
			}
		}
		if !slices.Contains(p.q.Elements, name) {
			p.q.Elements = append(p.q.Elements, name)
		}
	}
	return nil
}

// list reads the id of a List (search.html#list); the lists that servers make up ("$current-…") are not there.
func (p *reader) list(key, text string) error {
	id := strings.TrimPrefix(text, "List/")
	switch {
	case strings.HasPrefix(text, "$"):
		return notSupported(key, "không có danh sách chức năng này", "there is no such functional list")
	case !isID(id):
		return bad(key, "phải là mã của một List", "must be the id of a List")
	}
	p.q.List = id
	return nil
}

// isID says whether a text can be a logical id (datatypes.html#id).
func isID(s string) bool {
	return len(s) >= 1 && len(s) <= 64 && !strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.')
	})
}

// include reads Type:parameter, Type:parameter:Target and the wild Type:* and *
// (search.html#include). A wild one is all references of the type, each an
// Include of its own.
func (p *reader) include(key, text string) error {
	reverse := strings.HasPrefix(key, "_rev")
	if text == "*" && !reverse && p.q.Type != "" {
		text = p.q.Type + ":*"
	}
	part := strings.Split(text, ":")
	if len(part) < 2 || len(part) > 3 || len(part) == 3 && part[2] == "" {
		return bad(key, "phải có dạng Loại:thamsố hoặc Loại:thamsố:LoạiĐích", "must be Type:parameter or Type:parameter:Target")
	}
	t, err := p.r.of(part[0])
	if err != nil || part[0] == "" {
		return bad(key, "không có loại tài nguyên này", "there is no such resource type")
	}
	inc := Include{Reverse: reverse, Iterate: strings.HasSuffix(key, ":iterate"), Source: part[0]}
	if len(part) == 3 {
		inc.Target = part[2]
	}
	if inc.Target != "" && !r4.IsResource(inc.Target) {
		return bad(key, "không có loại tài nguyên này", "there is no such resource type")
	}
	if part[1] == "*" {
		inc.wild = true
		for _, d := range t.list {
			if d.Kind == Reference && p.leads(d, inc) {
				inc.Param = d.Code
				p.q.Includes = append(p.q.Includes, inc)
			}
		}
		return nil
	}
	d, err := p.r.find(part[0], part[1])
	switch {
	case err != nil:
		return err
	case d.Kind != Reference:
		return bad(key, "tham số phải là tham chiếu", "the parameter must be a reference")
	case !p.leads(d, inc):
		return bad(key, "tham chiếu không trỏ tới loại này", "the reference does not point at this type")
	}
	inc.Param = part[1]
	p.q.Includes = append(p.q.Includes, inc)
	return nil
}

// leads says whether a reference can point where an include wants it to: at its
// target, and in reverse at what is searched, unless other includes bring that.
func (p *reader) leads(d *parameter, inc Include) bool {
	if inc.Target != "" {
		return d.pointsAt(inc.Target)
	}
	return !inc.Reverse || inc.Iterate || p.q.Type == "" || d.pointsAt(p.q.Type)
}
