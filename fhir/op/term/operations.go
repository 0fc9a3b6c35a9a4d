// Package term has the terminology operations of the API over fhir/term:
// $lookup, $validate-code, $subsumes of CodeSystem, $expand and $validate-code
// of ValueSet, $translate of ConceptMap, and $closure.
//
// What would need a code system that is not at hand, or an element that a
// parameter "context" names, is an error and never a guess; a parameter that
// an operation doesn't know is refused, since passing over it could widen the answer.
//
// Source: FHIR R4 codesystem-operations.html, valueset-operations.html,
// conceptmap-operations.html, terminology-service.html.
package term

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/term"
)

const definition = "http://hl7.org/fhir/OperationDefinition/"

// Deps is what the operations need. Vietnamese says in which language the
// message of a $validate-code is; nil: English.
type Deps struct {
	Terms      *term.Service
	Now        func() time.Time
	Vietnamese func(context.Context) bool
}

// Operations gives them all. $closure needs the table of Migrations.
func Operations(d Deps) []rest.Operation {
	o := operations{d}
	run := func(names string, f func(context.Context, *rest.Call) (*rest.Response, error)) func(context.Context, *rest.Call) (*rest.Response, error) {
		known := strings.Fields(names)
		return func(ctx context.Context, c *rest.Call) (*rest.Response, error) {
			if err := refuseOthers(c.In, known); err != nil {
				return nil, err
			}
			return f(ctx, c)
		}
	}
	return []rest.Operation{
		{Name: "lookup", Definition: definition + "CodeSystem-lookup", Types: []string{"CodeSystem"}, Type: true,
			Run: run("code system version coding date displayLanguage property", o.lookup)},
		{Name: "validate-code", Definition: definition + "CodeSystem-validate-code", Types: []string{"CodeSystem"}, Type: true, Instance: true,
			Run: run("url codeSystem resource code version display coding codeableConcept date abstract displayLanguage", o.validateSystem)},
		{Name: "subsumes", Definition: definition + "CodeSystem-subsumes", Types: []string{"CodeSystem"}, Type: true, Instance: true,
			Run: run("codeA codeB system version codingA codingB", o.subsumes)},
		{Name: "expand", Definition: definition + "ValueSet-expand", Types: []string{"ValueSet"}, Type: true, Instance: true,
			Run: run("url valueSet resource valueSetVersion filter date offset count includeDesignations designation includeDefinition activeOnly excludeNested "+
				"excludeNotForUI excludePostCoordinated displayLanguage exclude-system system-version check-system-version force-system-version", o.expand)},
		{Name: "validate-code", Definition: definition + "ValueSet-validate-code", Types: []string{"ValueSet"}, Type: true, Instance: true,
			Run: run("url valueSet resource valueSetVersion code system systemVersion display coding codeableConcept date abstract displayLanguage inferSystem", o.validateSet)},
		{Name: "translate", Definition: definition + "ConceptMap-translate", Types: []string{"ConceptMap"}, Type: true, Instance: true,
			Run: run("url conceptMap resource conceptMapVersion code system version source coding codeableConcept target targetsystem dependency reverse", o.translate)},
		{Name: "closure", Definition: definition + "ConceptMap-closure", System: true, Affects: true, Run: run("name concept version", o.closure)},
	}
}

type operations struct{ d Deps }

func bad(name, vi, en string) error {
	return outcome.New(outcome.Invalid, "term.parameter",
		fmt.Sprintf("Tham số “%.64s”: %s.", name, vi), fmt.Sprintf("Parameter %.64q: %s.", name, en))
}

// refuseOthers: parameters that are not named, context among them, can't be answered by.
func refuseOthers(in rest.Parameters, known []string) error {
	for name := range in.Values() {
		if !slices.Contains(known, name) && !strings.HasPrefix(name, "_") {
			return outcome.New(outcome.NotSupported, "term.unknown-parameter",
				fmt.Sprintf("Thao tác này không dùng tham số “%.64s”.", name), fmt.Sprintf("This operation does not use the parameter %.64q.", name))
		}
	}
	return nil
}

func truth(in rest.Parameters, name string, otherwise bool) (bool, error) {
	switch in.Text(name) {
	case "":
		return otherwise, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, bad(name, "phải là true hoặc false", "must be true or false")
}

func whole(in rest.Parameters, name string, otherwise int) (int, error) {
	text := in.Text(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<30 {
		return 0, bad(name, "phải là số nguyên không âm", "must be a whole number of 0 or more")
	}
	return n, nil
}

// at reads displayLanguage and date; of a date only the day counts.
func at(in rest.Parameters) (a term.At, err error) {
	a.Language = in.Text("displayLanguage")
	if text := in.Text("date"); text != "" {
		if len(text) < len(time.DateOnly) {
			return a, bad("date", "phải có đủ năm, tháng, ngày", "needs year, month and day")
		}
		if _, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)]); err != nil {
			return a, bad("date", "không phải ngày hợp lệ", "is no date")
		}
		a.Day = text[:len(time.DateOnly)]
	}
	return a, nil
}

// coding reads a Coding.
func coding(n r4.Node) term.Code {
	return term.Code{System: n.Get("system").Text(), Version: n.Get("version").Text(), Code: n.Get("code").Text(), Display: n.Get("display").Text()}
}

// codes reads the code asked about: code with system, a coding, or a CodeableConcept; exactly one of these.
func codes(in rest.Parameters, system, version string) ([]term.Code, error) {
	var list []term.Code
	given := 0
	if code := in.Text("code"); code != "" {
		given++
		list = append(list, term.Code{System: in.Text(system), Version: in.Text(version), Code: code, Display: in.Text("display")})
	}
	if n := in.Value("coding"); n.Exists() {
		given++
		list = append(list, coding(n))
	}
	if n := in.Value("codeableConcept"); n.Exists() {
		given++
		for c := range n.Get("coding").Elems() {
			list = append(list, coding(c))
		}
	}
	if given != 1 {
		return nil, bad("code", "cần đúng một trong code, coding, codeableConcept", "exactly one of code, coding and codeableConcept is needed")
	}
	return list, nil
}

// inline gives the definition that the call brings along, under its own name or as the whole body.
func inline(in rest.Parameters, name, typ string) (r4.Node, error) {
	for _, n := range []string{name, "resource"} {
		if r := in.Resource(n); r.Exists() {
			if got := r.Get("resourceType").Text(); got != typ {
				return r4.Node{}, bad(n, "phải là "+typ, "must be a "+typ)
			}
			return r, nil
		}
	}
	return r4.Node{}, nil
}

// subject is the definition that an operation is about: that of the instance
// in the address, the one in the call, or the one that url names.
func (o *operations) subject(ctx context.Context, c *rest.Call, name, version string) (doc r4.Node, url string, err error) {
	if c.ID != "" {
		res, err := c.Reader.Read(ctx, store.Key{Type: c.Type, ID: c.ID})
		if err != nil {
			return doc, "", err
		}
		d, err := r4.Parse(res.Body)
		if err != nil {
			return doc, "", err
		}
		return d.Root(), d.Root().Get("url").Text(), nil
	}
	if doc, err = inline(c.In, name, c.Type); err != nil || doc.Exists() {
		return doc, "", err
	}
	if url = c.In.Text("url"); url == "" {
		return doc, "", bad("url", "cần url hoặc "+name, "url or "+name+" is needed")
	}
	if v := c.In.Text(version); v != "" && !strings.Contains(url, "|") {
		url += "|" + v
	}
	return doc, url, nil
}

// param makes one parameter of an answer.
func param(name, element string, value any) r4.Object {
	return r4.Object{{Name: "name", Value: name}, {Name: element, Value: value}}
}

func text(name, element, value string) r4.Object {
	if value == "" {
		return nil
	}
	return param(name, element, value)
}

func answer(list ...r4.Object) *rest.Response {
	return resource(r4.Object{{Name: "resourceType", Value: "Parameters"}, {Name: "parameter", Value: list}})
}

func resource(o r4.Object) *rest.Response {
	return &rest.Response{Status: http.StatusOK, Resource: o.JSON()}
}

func codingOf(c term.Code) r4.Object {
	return r4.Object{{Name: "system", Value: c.System}, {Name: "version", Value: c.Version}, {Name: "code", Value: c.Code}, {Name: "display", Value: c.Display}}
}
