package term

import (
	"context"
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/term"
)

// translate is FHIR R4 conceptmap-operation-translate.html. The map is the
// instance, one in the call, or named by url: a map is not chosen by its value sets.
func (o *operations) translate(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	if c.ID == "" && c.In.Text("url") == "" && !c.In.Resource("conceptMap").Exists() && !c.In.Resource("resource").Exists() {
		return nil, outcome.New(outcome.NotSupported, "term.which-map",
			"Cần nêu url của bảng ánh xạ: máy chủ không tự chọn bảng theo tập giá trị.", "The url of the concept map is needed: this server does not choose one by its value sets.")
	}
	doc, url, err := o.subject(ctx, c, "conceptMap", "conceptMapVersion")
	if err != nil {
		return nil, err
	}
	q := term.Translate{URL: url, Inline: doc, System: c.In.Text("targetsystem"), Target: c.In.Text("target"), Source: c.In.Text("source")}
	if q.Codes, err = codes(c.In, "system", "version"); err != nil {
		return nil, err
	}
	if q.Reverse, err = truth(c.In, "reverse", false); err != nil {
		return nil, err
	}
	q.Depends = dependencies(c.In)
	list, err := o.d.Terms.Translate(ctx, q)
	if err != nil {
		return nil, err
	}
	found := slices.ContainsFunc(list, func(m term.Match) bool { return m.Equivalence != "unmatched" && m.Equivalence != "disjoint" })
	out := []r4.Object{param("result", "valueBoolean", found)}
	if !found {
		message := "There is no target for the code in this map."
		if o.d.Vietnamese != nil && o.d.Vietnamese(ctx) {
			message = "Bảng ánh xạ không có mã đích cho mã này."
		}
		out = append(out, param("message", "valueString", message))
	}
	for _, m := range list {
		parts := []r4.Object{text("equivalence", "valueCode", m.Equivalence), param("concept", "valueCoding", codingOf(m.Code))}
		for _, p := range m.Products {
			parts = append(parts, r4.Object{{Name: "name", Value: "product"}, {Name: "part", Value: []r4.Object{
				param("element", "valueUri", p.Get("property").Text()),
				param("concept", "valueCoding", codingOf(term.Code{System: p.Get("system").Text(), Code: p.Get("value").Text(), Display: p.Get("display").Text()})),
			}}})
		}
		parts = append(parts, text("source", "valueUri", m.Map))
		if m.Code.Code == "" {
			parts = slices.Delete(parts, 1, 2) // "unmatched" has no concept
		}
		out = append(out, r4.Object{{Name: "name", Value: "match"}, {Name: "part", Value: parts}})
	}
	return answer(out...), nil
}

func dependencies(in rest.Parameters) map[string]string {
	m := map[string]string{}
	for _, d := range in.All("dependency") {
		element, value := "", ""
		for p := range d.Get("part").Elems() {
			switch p.Get("name").Text() {
			case "element":
				element = p.Get("valueUri").Text()
			case "concept":
				c := p.Get("valueCodeableConcept").Get("coding").At(0)
				if !c.Exists() {
					c = p.Get("valueCoding")
				}
				value = c.Get("system").Text() + "|" + c.Get("code").Text()
			}
		}
		m[element] = value
	}
	return m
}
