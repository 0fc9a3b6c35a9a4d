package paper

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/law"
)

// extRow is the extension that holds the place of a row among those of its table.
const extRow = "row"

// response is the form with every field that is filled.
func (p *paper) response() element.Resource {
	r, o := p.resource("QuestionnaireResponse")
	o.Add("extension", []r4.Object{element.Ext(extRow, "valuePositiveInt", p.ordinal)})
	o.Add("questionnaire", formPrefix+code(p.table))
	o.Add("status", "completed")
	o.Add("subject", element.Ref("Patient", p.Patient))
	o.Add("encounter", element.Ref("Encounter", p.Encounter))
	o.Add("authored", p.written)
	o.Add("author", p.author())
	o.Add("item", append(p.fields(), p.extras()...))
	r.Body = o.JSON()
	return r
}

func (p *paper) fields() (items []r4.Object) {
	t := p.row.Table()
	for i := range t.Fields {
		f := &t.Fields[i]
		if text := element.Clean(p.row.Get(i)); text != "" {
			items = append(items, item(f.Name, labelVI(t.Name, f.Name), answers(f, text, p.at)))
		}
	}
	return items
}

// extras are the elements of no form, each name once with all its values.
func (p *paper) extras() (items []r4.Object) {
	at := map[string]int{}
	var values [][]r4.Object
	var names []string
	for _, x := range p.row.Rest().Extra {
		text := element.Clean(x.Text)
		if text == "" {
			continue
		}
		n, ok := at[x.Name]
		if !ok {
			n = len(names)
			at[x.Name] = n
			names, values = append(names, x.Name), append(values, nil)
		}
		values[n] = append(values[n], r4.Object{{Name: "valueString", Value: text}})
	}
	for i, name := range names {
		items = append(items, item("+"+name, "", values[i]))
	}
	return items
}

func item(linkID, label string, answers []r4.Object) r4.Object {
	return r4.Object{{Name: "linkId", Value: linkID}, {Name: "text", Value: label}, {Name: "answer", Value: answers}}
}

// answers gives one answer, or one for each value of a list. A list that can't
// be put together again as it was written is one string.
func answers(f *claim.Field, text string, on time.Time) (out []r4.Object) {
	if f.Separator == "" {
		return []r4.Object{answer(f, text, on)}
	}
	for _, v := range strings.Split(text, f.Separator) {
		if v == "" || element.Clean(v) != v {
			return []r4.Object{{{Name: "valueString", Value: text}}}
		}
		out = append(out, answer(f, v, on))
	}
	return out
}

func answer(f *claim.Field, text string, on time.Time) (o r4.Object) {
	switch name, form := shape(f); name {
	case "valueReference":
		o.Add(name, logical(f.CodeList, text))
	case "valueCoding":
		o.Add(name, coding(f.CodeList, text, on))
	case "valueInteger":
		if n, err := strconv.ParseInt(text, 10, 32); err == nil && strconv.FormatInt(n, 10) == text {
			o.Add(name, n)
		} else {
			o.Add("_"+name, asWritten(text))
		}
	default:
		element.Put(&o, name, text, form)
	}
	return o
}

// shape is the kind of answer that a field has, and how its text is written there.
func shape(f *claim.Field) (name string, form element.Form) {
	switch {
	case f.CodeList == "catalogue:facilities" || f.CodeList == "catalogue:practitioners":
		return "valueReference", element.Text
	case f.CodeList != "":
		return "valueCoding", element.Text
	}
	switch f.Type {
	case claim.TNumber, claim.TNumberList:
		return "valueInteger", element.Decimal
	case claim.TDecimal1, claim.TDecimal2, claim.TDecimal3:
		return "valueDecimal", element.Decimal
	case claim.TDate8, claim.TDate8List:
		return "valueDate", element.Day
	case claim.TBirthDate12:
		return "valueDate", element.Birth
	case claim.TDate12, claim.TDate12List, claim.TDate8Or12:
		return "valueDateTime", element.Minute
	}
	return "valueString", element.Text
}

// logical names a facility or a practitioner without a record of it here.
func logical(list, value string) r4.Object {
	if list == "catalogue:facilities" {
		return element.Logical("Organization", element.MACSKCB, value)
	}
	return element.Logical("Practitioner", element.CCHN, value)
}

// earlier are the lists that held before the one that the tables name (codelists_index.csv, previous_of).
var earlier = map[string][]string{
	"vn:provinces_2025":  {"ma_tinh_062024"},
	"vn:communes_2025":   {"vn:communes_legacy", "vn:communes_dropped"},
	"nhom_doi_tuong_hiv": {"nhom_doi_tuong_hiv_4750"},
}

// coding is a code with the name that it had on a day.
func coding(list, text string, on time.Time) r4.Object {
	system, display := named(list, text, on)
	o := r4.Object{{Name: "system", Value: system}}
	if isCode(text) {
		o.Add("code", text)
	} else {
		o.Add("_code", asWritten(text))
	}
	o.Add("display", display)
	return o
}

func named(list, code string, on time.Time) (system, display string) {
	switch list {
	case "catalogue:icd10":
		return element.ICD10, ""
	case "catalogue:icd10_yhct":
		return element.YHCT, ""
	}
	for _, name := range append(slices.Clone(earlier[list]), list) {
		l, err := law.Find(name, on)
		if err != nil {
			continue
		}
		if c, ok := l.Find(code, on); ok {
			return element.List + name, c.VI
		}
	}
	return element.List + list, ""
}

// isCode says whether FHIR lets a code be written like this (FHIR R4 datatypes.html#code).
func isCode(s string) bool {
	return !strings.ContainsAny(s, "\t\n\v\f\r") && !strings.Contains(s, "  ")
}

// asWritten is the primitive without a value whose text stands beside it; see element.Put.
func asWritten(text string) r4.Object {
	return r4.Object{{Name: "extension", Value: []r4.Object{{{Name: "url", Value: element.ClaimText}, {Name: "valueString", Value: text}}}}}
}

// row is the way back of response.
func row(table int, root r4.Node) claim.Record {
	r := new(claim.HOSO).Add(table)
	t := r.Table()
	for i := range root.Get("item").Elems() {
		link := i.Get("linkId").Text()
		if name, extra := strings.CutPrefix(link, "+"); extra {
			for a := range i.Get("answer").Elems() {
				r.Rest().Extra = append(r.Rest().Extra, claim.Extra{Name: name, Text: a.Get("valueString").Text()})
			}
			continue
		}
		if at := slices.IndexFunc(t.Fields, func(f claim.Field) bool { return f.Name == link }); at >= 0 {
			r.Set(at, textOf(&t.Fields[at], i))
		}
	}
	return r
}

// textOf is the text of a field as the claim had it.
func textOf(f *claim.Field, item r4.Node) string {
	var values []string
	for a := range item.Get("answer").Elems() {
		values = append(values, textOfAnswer(f, a))
	}
	return strings.Join(values, f.Separator)
}

func textOfAnswer(f *claim.Field, a r4.Node) string {
	if s := a.Get("valueString"); s.Exists() {
		return s.Text()
	}
	switch name, form := shape(f); name {
	case "valueReference":
		return a.Get(name).Get("identifier").Get("value").Text()
	case "valueCoding":
		return element.Get(a.Get(name), "code", element.Text)
	default:
		return element.Get(a, name, form)
	}
}
