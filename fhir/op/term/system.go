package term

import (
	"context"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/term"
)

// lookup is FHIR R4 codesystem-operation-lookup.html.
func (o *operations) lookup(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	list, err := codes(c.In, "system", "version")
	if err != nil {
		return nil, err
	}
	if list[0].System == "" {
		return nil, bad("system", "cần hệ mã", "a system is needed")
	}
	when, err := at(c.In)
	if err != nil {
		return nil, err
	}
	k, err := o.d.Terms.Lookup(ctx, list[0], when)
	if err != nil {
		return nil, err
	}
	want := c.In.Texts("property")
	wants := func(name string) bool { return len(want) == 0 || slices.Contains(want, name) }
	out := []r4.Object{text("name", "valueString", k.Name), text("version", "valueString", k.Version), param("display", "valueString", k.Display)}
	for _, d := range k.Designations {
		if wants("designation") || wants("lang."+d.Language) {
			out = append(out, r4.Object{{Name: "name", Value: "designation"}, {Name: "part", Value: []r4.Object{
				text("language", "valueCode", d.Language), use(d), param("value", "valueString", d.Value),
			}}})
		}
	}
	property := func(code, element string, value any) {
		if wants(code) {
			out = append(out, r4.Object{{Name: "name", Value: "property"}, {Name: "part", Value: []r4.Object{param("code", "valueCode", code), param("value", element, value)}}})
		}
	}
	if k.Definition != "" {
		property("definition", "valueString", k.Definition)
	}
	for _, p := range k.Parents {
		property("parent", "valueCode", p.Code)
	}
	for _, p := range k.Children {
		property("child", "valueCode", p.Code)
	}
	if k.Inactive || slices.Contains(want, "inactive") {
		property("inactive", "valueBoolean", k.Inactive)
	}
	for _, p := range k.Properties {
		if !slices.Contains([]string{"parent", "child", "inactive"}, p.Code) {
			property(p.Code, p.Name, r4.Raw(p.Raw))
		}
	}
	return answer(out...), nil
}

func use(d term.Designation) r4.Object {
	if !d.Use.Exists() {
		return nil
	}
	return param("use", "valueCoding", r4.Raw(d.Use.Raw()))
}

// validateSystem is FHIR R4 codesystem-operation-validate-code.html.
func (o *operations) validateSystem(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	q, err := o.check(c, "url", "version")
	if err != nil {
		return nil, err
	}
	var doc r4.Node
	url, version := c.In.Text("url"), c.In.Text("version")
	if c.ID != "" || url == "" {
		if doc, url, err = o.system(ctx, c, q); err != nil {
			return nil, err
		}
	}
	url, version, _ = cutVersion(url, version)
	a, err := o.d.Terms.ValidateInSystem(ctx, url, version, doc, q)
	if err != nil {
		return nil, err
	}
	return o.verdict(ctx, a), nil
}

func cutVersion(url, version string) (string, string, bool) {
	u, v, ok := strings.Cut(url, "|")
	if ok && version == "" {
		version = v
	}
	return u, version, ok
}

// system is the code system of a call without url: of the instance, in the call, or that of the coding.
func (o *operations) system(ctx context.Context, c *rest.Call, q term.Check) (doc r4.Node, url string, err error) {
	if n, err := inline(c.In, "codeSystem", "CodeSystem"); c.ID == "" && (err != nil || n.Exists()) {
		return n, "", err
	}
	if c.ID == "" && len(q.Codes) > 0 && q.Codes[0].System != "" {
		return doc, q.Codes[0].System, nil
	}
	doc, url, err = o.subject(ctx, c, "codeSystem", "version")
	if err == nil && doc.Exists() && !doc.Get("concept").Exists() { // its concepts lie beside it; the service finds them by url
		if v := doc.Get("version").Text(); v != "" {
			url += "|" + v
		}
		doc = r4.Node{}
	}
	return doc, url, err
}

// check reads what both kinds of $validate-code ask.
func (o *operations) check(c *rest.Call, system, version string) (q term.Check, err error) {
	if q.At, err = at(c.In); err != nil {
		return q, err
	}
	abstract, err := truth(c.In, "abstract", true)
	if err != nil {
		return q, err
	}
	q.NoAbstract = !abstract
	q.Codes, err = codes(c.In, system, version)
	return q, err
}

// verdict: result, and message with the display that is recommended.
func (o *operations) verdict(ctx context.Context, a term.Answer) *rest.Response {
	message := a.EN
	if o.d.Vietnamese != nil && o.d.Vietnamese(ctx) {
		message = a.VI
	}
	return answer(param("result", "valueBoolean", a.Result), text("message", "valueString", message), text("display", "valueString", a.Display))
}

// subsumes is FHIR R4 codesystem-operation-subsumes.html.
func (o *operations) subsumes(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	system, version := c.In.Text("system"), c.In.Text("version")
	if c.ID != "" {
		doc, url, err := o.subject(ctx, c, "", "")
		if err != nil {
			return nil, err
		}
		system, version = url, doc.Get("version").Text()
	}
	var pair [2]term.Code
	for i, name := range []string{"A", "B"} {
		pair[i] = term.Code{System: system, Code: c.In.Text("code" + name)}
		if n := c.In.Value("coding" + name); n.Exists() {
			if pair[i].Code != "" {
				return nil, bad("code"+name, "chỉ một trong code và coding", "only one of code and coding")
			}
			pair[i] = coding(n)
		}
		if pair[i].Code == "" {
			return nil, bad("code"+name, "cần mã", "a code is needed")
		}
		if system == "" {
			system = pair[i].System
		}
		if pair[i].System == "" || pair[i].System != system {
			return nil, bad("system", "cần một hệ mã chung cho cả hai mã", "one system of both codes is needed")
		}
	}
	r, err := o.d.Terms.Subsumes(ctx, system, version, pair[0].Code, pair[1].Code)
	if err != nil {
		return nil, err
	}
	return answer(param("outcome", "valueCode", string(r))), nil
}
