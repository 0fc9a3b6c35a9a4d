package term

import (
	"context"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/term"
)

// validateSet is FHIR R4 valueset-operation-validate-code.html.
func (o *operations) validateSet(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	q, err := o.check(c, "system", "systemVersion")
	if err != nil {
		return nil, err
	}
	doc, url, err := o.subject(ctx, c, "valueSet", "valueSetVersion")
	if err != nil {
		return nil, err
	}
	if q.Inferred, err = truth(c.In, "inferSystem", false); err != nil {
		return nil, err
	}
	for i, code := range q.Codes {
		if code.System == "" && !q.Inferred {
			return nil, bad("system", "cần hệ mã, hoặc inferSystem=true", "a system is needed, or inferSystem=true")
		}
		q.Codes[i].System, q.Codes[i].Version, _ = cutVersion(code.System, code.Version)
	}
	a, err := o.d.Terms.ValidateInSet(ctx, url, doc, q)
	if err != nil {
		return nil, err
	}
	return o.verdict(ctx, a), nil
}

// unclosed says that values beside those listed may be valid (FHIR R4 extension-valueset-unclosed.html).
const unclosed = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed"

// expand is FHIR R4 valueset-operation-expand.html. The expansion is flat.
func (o *operations) expand(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	doc, url, err := o.subject(ctx, c, "valueSet", "valueSetVersion")
	if err != nil {
		return nil, err
	}
	q, err := expansion(c.In)
	if err != nil {
		return nil, err
	}
	q.URL, q.Inline = url, doc
	definition, err := truth(c.In, "includeDefinition", false)
	if err != nil {
		return nil, err
	}
	designations, err := truth(c.In, "includeDesignations", false)
	if err != nil {
		return nil, err
	}
	only := c.In.Texts("designation")
	x, err := o.d.Terms.Expand(ctx, q)
	if err != nil {
		return nil, err
	}
	var contains []r4.Object
	for _, e := range x.Entries {
		contains = append(contains, entry(e, designations || len(only) > 0, only))
	}
	out := r4.Object{{Name: "resourceType", Value: "ValueSet"}, {Name: "url", Value: x.URL}, {Name: "version", Value: x.Version}}
	for _, name := range []string{"name", "title", "status", "experimental"} {
		out.Add(name, r4.Raw(x.Set.Get(name).Raw()))
	}
	if !x.Set.Get("status").Exists() {
		out.Add("status", "active")
	}
	if definition {
		out.Add("compose", r4.Raw(x.Set.Get("compose").Raw()))
	}
	var ex r4.Object
	if x.Unclosed {
		ex.Add("extension", []r4.Object{{{Name: "url", Value: unclosed}, {Name: "valueBoolean", Value: true}}})
	}
	ex = append(ex, r4.Object{{Name: "timestamp", Value: o.d.Now().UTC().Format("2006-01-02T15:04:05.000Z")}, {Name: "total", Value: x.Total}}...)
	if q.Offset > 0 || q.Count != term.NoCount {
		ex.Add("offset", q.Offset)
	}
	ex.Add("parameter", o.echo(c.In, q, x))
	ex.Add("contains", contains)
	out.Add("expansion", ex)
	return resource(out), nil
}

// expansion reads what narrows the answer.
func expansion(in rest.Parameters) (q term.Expand, err error) {
	q.Filter = in.Text("filter")
	if q.At, err = at(in); err != nil {
		return q, err
	}
	if q.Offset, err = whole(in, "offset", 0); err != nil {
		return q, err
	}
	if q.Count, err = whole(in, "count", term.NoCount); err != nil {
		return q, err
	}
	if q.ActiveOnly, err = truth(in, "activeOnly", false); err != nil {
		return q, err
	}
	if q.ForUI, err = truth(in, "excludeNotForUI", false); err != nil {
		return q, err
	}
	for _, flag := range []string{"excludeNested", "excludePostCoordinated"} { // always so: flat, and only codes that the systems list
		if _, err = truth(in, flag, true); err != nil {
			return q, err
		}
	}
	q.Exclude = in.Texts("exclude-system")
	for name, to := range map[string]*map[string]string{"system-version": &q.Default, "check-system-version": &q.Check, "force-system-version": &q.Force} {
		if *to, err = versions(in, name); err != nil {
			return q, err
		}
	}
	return q, nil
}

func versions(in rest.Parameters, name string) (map[string]string, error) {
	var m map[string]string
	for _, text := range in.Texts(name) {
		system, version, ok := strings.Cut(text, "|")
		if !ok || version == "" {
			return nil, bad(name, "phải viết hệ mã|phiên bản", "must be system|version")
		}
		if m == nil {
			m = map[string]string{}
		}
		m[system] = version
	}
	return m, nil
}

// echo lists the parameters that made the expansion what it is, and the versions used (valueset.html#expansion).
func (o *operations) echo(in rest.Parameters, q term.Expand, x *term.Expansion) (list []r4.Object) {
	add := func(name, element string, value any) { list = append(list, param(name, element, value)) }
	for _, p := range [][2]string{{"filter", "valueString"}, {"displayLanguage", "valueCode"}, {"date", "valueDateTime"}} {
		if v := in.Text(p[0]); v != "" {
			add(p[0], p[1], v)
		}
	}
	for _, p := range []string{"includeDesignations", "includeDefinition", "activeOnly", "excludeNotForUI"} {
		if v := in.Text(p); v != "" {
			add(p, "valueBoolean", v == "true")
		}
	}
	add("excludeNested", "valueBoolean", true)
	if q.Count != term.NoCount {
		add("offset", "valueInteger", q.Offset)
		add("count", "valueInteger", x.Count)
	}
	for _, p := range []string{"exclude-system", "system-version", "check-system-version", "force-system-version"} {
		for _, v := range in.Texts(p) {
			add(p, "valueUri", v)
		}
	}
	for _, u := range x.Used {
		v := u.System
		if u.Version != "" {
			v += "|" + u.Version
		}
		add("version", "valueUri", v)
	}
	return list
}

func entry(e term.Entry, designations bool, only []string) r4.Object {
	out := r4.Object{{Name: "system", Value: e.System}}
	if e.Abstract {
		out.Add("abstract", true)
	}
	if e.Inactive {
		out.Add("inactive", true)
	}
	out.Add("code", e.Code.Code)
	out.Add("display", e.Display)
	if designations {
		var list []r4.Object
		for _, d := range e.Designations {
			if asked(d, only) {
				list = append(list, r4.Object{{Name: "language", Value: d.Language}, {Name: "use", Value: r4.Raw(d.Use.Raw())}, {Name: "value", Value: d.Value}})
			}
		}
		out.Add("designation", list)
	}
	return out
}

// asked says whether a designation is of a language or use that was asked for; nothing asked: all.
func asked(d term.Designation, only []string) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(token string) bool {
		system, code, ok := strings.Cut(token, "|")
		if !ok {
			system, code = "urn:ietf:bcp:47", token
		}
		if system == "urn:ietf:bcp:47" {
			return strings.EqualFold(d.Language, code)
		}
		return d.Use.Get("system").Text() == system && d.Use.Get("code").Text() == code
	})
}
