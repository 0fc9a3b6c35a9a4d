package param

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// With gives a registry that has the parameters of these SearchParameter
// resources as well (FHIR R4 searchparameter.html); r stays as it is. One of the
// same url replaces the one before, also an official one; any other must not
// have a code that is taken on one of its bases. Retired ones are left out.
// outcome.Value names the definition and the element that can't be used.
func (r *Registry) With(defs []*r4.Doc) (*Registry, error) {
	out := &Registry{own: map[string][]*parameter{}, byURL: maps.Clone(r.byURL)}
	if out.byURL == nil {
		out.byURL = map[string]*r4.SearchParameter{}
	}
	fresh := map[string]bool{}
	var list []definition
	for _, d := range defs {
		def, err := readDefinition(d)
		if err != nil {
			return nil, err
		}
		if def.retired {
			continue
		}
		if fresh[def.URL] {
			return nil, def.bad("url", "có hai định nghĩa cùng url", "two definitions have this url")
		}
		fresh[def.URL] = true
		out.byURL[def.URL] = &def.SearchParameter
		list = append(list, def)
	}
	for base, own := range r.own {
		for _, p := range own {
			if !fresh[p.URL] {
				out.own[base] = append(out.own[base], p)
			}
		}
	}
	for _, def := range list { // components may be among the new ones
		if err := out.take(def); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// definition is a SearchParameter resource as read.
type definition struct {
	r4.SearchParameter
	retired             bool
	single, once        bool
	modifiers, prefixes []string
}

func (d *definition) bad(element, vi, en string) error {
	return outcome.New(outcome.Value, "param.definition",
		fmt.Sprintf("Định nghĩa tham số tìm kiếm “%.64s”: %s.", d.Code, vi),
		fmt.Sprintf("Search parameter %.64q: %s.", d.Code, en)).At("SearchParameter." + element)
}

func texts(n r4.Node) (out []string) {
	for e := range n.Elems() {
		out = append(out, e.Text())
	}
	return out
}

func readDefinition(doc *r4.Doc) (d definition, err error) {
	n := doc.Root()
	d.Code, d.Type, d.URL, d.Expression = n.Get("code").Text(), n.Get("type").Text(), n.Get("url").Text(), n.Get("expression").Text()
	d.Base, d.Targets, d.modifiers, d.prefixes = texts(n.Get("base")), texts(n.Get("target")), texts(n.Get("modifier")), texts(n.Get("comparator"))
	d.retired = n.Get("status").Text() == "retired"
	d.single = n.Get("multipleOr").Kind() == r4.False
	d.once = n.Get("multipleAnd").Kind() == r4.False
	for c := range n.Get("component").Elems() {
		d.Components = append(d.Components, r4.Component{Definition: c.Get("definition").Text(), Expression: c.Get("expression").Text()})
	}
	if doc.Type() != "SearchParameter" {
		return d, d.bad("resourceType", "tài nguyên không phải SearchParameter", "the resource is no SearchParameter")
	}
	return d, d.check()
}

var codeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

// check looks at all but the expressions.
func (d *definition) check() error {
	known := r4.SearchParameterByURL(d.URL)
	switch kind := kinds[d.Type]; {
	case d.URL == "":
		return d.bad("url", "thiếu url", "it has no url")
	case !codeForm.MatchString(d.Code) && (known == nil || known.Code != d.Code):
		return d.bad("code", "mã chỉ gồm chữ, số, “-” và “_”, bắt đầu bằng chữ", "a code is letters, digits, - and _, and begins with a letter")
	case kind == 0:
		return d.bad("type", "không có kiểu này", "there is no such type")
	case kind == Special:
		return d.bad("type", "tham số kiểu special do máy chủ tự định nghĩa", "a parameter of type special is the server's own to define")
	case len(d.Base) == 0:
		return d.bad("base", "thiếu loại tài nguyên", "it names no resource type")
	case d.Expression == "":
		return d.bad("expression", "thiếu biểu thức FHIRPath", "it has no FHIRPath expression")
	case kind == Composite && len(d.Components) == 0 || kind != Composite && len(d.Components) > 0:
		return d.bad("component", "chỉ tham số composite có các phần, và phải có", "a composite has components, and nothing else does")
	}
	for i, b := range d.Base {
		if !r4.IsResource(b) && b != "Resource" && b != "DomainResource" {
			return d.bad(fmt.Sprintf("base[%d]", i), "không có loại tài nguyên này", "there is no such resource type")
		}
	}
	for i, t := range d.Targets {
		if !r4.IsResource(t) {
			return d.bad(fmt.Sprintf("target[%d]", i), "không có loại tài nguyên này", "there is no such resource type")
		}
	}
	return nil
}

// take compiles a definition and puts it under its bases.
func (r *Registry) take(d definition) error {
	for i, c := range d.Components {
		def := r.definition(c.Definition)
		if at := fmt.Sprintf("component[%d]", i); def == nil {
			return d.bad(at+".definition", "không có định nghĩa của phần này", "the component is not defined")
		} else if k := kinds[def.Type]; k == Composite || k == Special {
			return d.bad(at+".definition", "phần này không thể là composite hay special", "a component can't be composite or special")
		} else if c.Expression == "" {
			return d.bad(at+".expression", "thiếu biểu thức FHIRPath", "it has no FHIRPath expression")
		}
	}
	p, err := r.makeParameter(&d.SearchParameter, d.Expression)
	if err == nil {
		for _, b := range d.Base {
			if err = checkPaths(p.expr, b); err != nil {
				break
			}
		}
	}
	if err != nil {
		return outcome.As(d.bad("expression", "biểu thức FHIRPath không dùng được", "its FHIRPath expression can't be used")).Because(err)
	}
	p.single, p.once, p.only, p.compare = d.single, d.once, d.modifiers, d.prefixes
	for i, b := range d.Base {
		if r.taken(b, p) {
			return d.bad(fmt.Sprintf("base[%d]", i), "mã đã dùng cho một tham số khác của loại này", "the code is that of another parameter of this type")
		}
		r.own[b] = append(r.own[b], p)
	}
	return nil
}

// taken says whether a type that has the base has another parameter of the code.
func (r *Registry) taken(base string, p *parameter) bool {
	of := []string{base}
	if base == "Resource" || base == "DomainResource" {
		of = r4.ResourceTypes()
	}
	for _, typ := range of {
		all := bases(typ)
		if typ != base && !slices.Contains(all, base) {
			continue
		}
		for _, b := range all {
			for _, d := range r4.SearchParameters(b) {
				if d.Code == p.Code && d.URL != p.URL {
					return true
				}
			}
			for _, o := range r.own[b] {
				if o.Code == p.Code && o.URL != p.URL {
					return true
				}
			}
		}
	}
	return false
}
