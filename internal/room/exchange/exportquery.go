package exchange

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// nextFilter is where one query of a list ends: before a comma and the type of the next.
var nextFilter = regexp.MustCompile(`,(?:[A-Z][A-Za-z]+)\?`)

func (e *exportSpec) filters(list []string) error {
	e.Filters = map[string][]string{}
	add := func(text string) error {
		typ, query, ok := strings.Cut(text, "?")
		if !ok || !r4.IsResource(typ) || query == "" {
			return badParameter("_typeFilter", "phải có dạng Loại?tham-số", "must read Type?query")
		}
		e.Filters[typ] = append(e.Filters[typ], query)
		return nil
	}
	for _, text := range list {
		for {
			at := nextFilter.FindStringIndex(text)
			if at == nil {
				break
			}
			if err := add(text[:at[0]]); err != nil {
				return err
			}
			text = text[at[0]+1:]
		}
		if err := add(text); err != nil {
			return err
		}
	}
	return nil
}

// settleTypes settles which types are exported, and reads every query once, so
// that the client learns at once what cannot be answered.
func (s *Service) settleTypes(a store.Access, level exportLevel, spec *exportSpec) error {
	fits := func(typ string) bool {
		if s.Virtual[typ] != nil || typ == "AuditEvent" { // the store has none: a file without any would seem to say that there are none
			return false
		}
		return a.Filter.May(typ, store.CanSearch) && (!level.persons || typ == "Patient" || len(r4.PatientCompartment(typ)) > 0)
	}
	for _, typ := range spec.Types {
		if !r4.IsResource(typ) || !fits(typ) {
			return errNoType.At(typ)
		}
	}
	if len(spec.Types) == 0 {
		for _, typ := range r4.ResourceTypes() {
			if fits(typ) {
				spec.Types = append(spec.Types, typ)
			}
		}
	}
	for typ := range spec.Filters {
		if !slices.Contains(spec.Types, typ) {
			return badParameter("_typeFilter", "nêu một loại không nằm trong _type", "names a type that is not among _type")
		}
		if _, err := s.exportQuery(spec, typ, ""); err != nil {
			return err
		}
	}
	return nil
}

// exportQuery is the search of one type of an export; patient "" is anybody.
func (s *Service) exportQuery(spec *exportSpec, typ, patient string) (q param.Query, err error) {
	v := url.Values{}
	if !spec.Since.IsZero() {
		v.Add("_lastUpdated", "gt"+milli(spec.Since))
	}
	if !spec.Until.IsZero() {
		v.Add("_lastUpdated", "le"+milli(spec.Until))
	}
	if q, err = s.Params().Parse(typ, v, param.Options{}); err != nil {
		return q, err
	}
	if patient != "" {
		q.CompartmentType, q.CompartmentID = "Patient", patient
	}
	q.Count = slice
	var any []*param.Expr
	for _, text := range spec.Filters[typ] {
		one, err := s.filterQuery(typ, text)
		if err != nil {
			return q, err
		}
		if len(spec.Filters[typ]) == 1 {
			q.Where = append(q.Where, one.Where...)
			q.Filter = one.Filter
			return q, nil
		}
		any = append(any, allOf(one))
	}
	if any != nil {
		q.Filter = &param.Expr{Op: "or", Parts: any}
	}
	return q, nil
}

// milli writes an instant to the millisecond, so that "later than" means that very instant.
func milli(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *Service) filterQuery(typ, text string) (q param.Query, err error) {
	v, err := url.ParseQuery(text)
	if err != nil {
		return q, badParameter("_typeFilter", "không đọc được", "can't be read")
	}
	if q, err = s.Params().Parse(typ, v, param.Options{}); err != nil {
		return q, err
	}
	if len(q.Sort)+len(q.Includes)+len(q.Elements) > 0 || q.Count != 0 || q.Summary != "" || q.Total != "" || q.Cursor != "" {
		return q, badParameter("_typeFilter", "chỉ nhận điều kiện tìm, không nhận _sort, _count, _include…", "takes conditions only, no _sort, _count, _include…")
	}
	return q, nil
}

// allOf is a query as one condition.
func allOf(q param.Query) *param.Expr {
	all := &param.Expr{Op: "and"}
	for _, c := range q.Where {
		all.Parts = append(all.Parts, &param.Expr{Clause: &c})
	}
	if q.Filter != nil {
		all.Parts = append(all.Parts, q.Filter)
	}
	if len(all.Parts) == 1 {
		return all.Parts[0]
	}
	return all
}
