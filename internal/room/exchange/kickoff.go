package exchange

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// exportSpec is what an export was asked for.
type exportSpec struct {
	Base     string // address of the API as the client sees it
	Types    []string
	Filters  map[string][]string `json:",omitempty"` // queries by type; any of them must hold
	Elements []string            `json:",omitempty"`
	Since    time.Time
	Until    time.Time
	Patients []string `json:",omitempty"` // only what is in their compartments
	Persons  bool     // only what is in the compartment of some Patient
	Time     time.Time
}

// settle is how long a write may take between the instant that it stamps on
// its resources and its commit. The transactionTime of an export lies so far
// before its start: what was stamped before is committed and read, and what
// was not read is found by the next export with _since = transactionTime.
const settle = 10 * time.Second

// maxMembers bounds the patients of one export by Group or list.
const maxMembers = 100_000

var (
	errLevel = outcome.New(outcome.NotSupported, "exchange.level",
		"Tham số patient chỉ dùng được với POST ở mức Patient hoặc Group.", "The parameter patient belongs to a POST at the level of Patient or Group.")
	errGroup = outcome.New(outcome.NotSupported, "exchange.group",
		"Chỉ xuất được nhóm liệt kê rõ từng người bệnh (actual = true, member.entity là Patient).",
		"Only a group that names its patients can be exported (actual = true, member.entity is a Patient).")
	errNotMember = outcome.New(outcome.NotFound, "exchange.not-member",
		"Có người bệnh được nêu mà không thuộc nhóm hoặc không tồn tại.", "A patient that was named is not in the group, or not there.")
	errManyMembers = outcome.New(outcome.TooCostly, "exchange.many-members",
		"Quá nhiều người bệnh trong một lần xuất. Hãy chia nhóm.", "Too many patients for one export. Split the group.")
	errNoType = outcome.New(outcome.Forbidden, "exchange.no-type",
		"Mã truy cập này không được tìm loại tài nguyên đã nêu, hoặc loại đó không có ở mức xuất này.",
		"This token may not search a type that was named, or that type is not part of this level.")
)

func badParameter(name, vi, en string) error {
	return outcome.New(outcome.Invalid, "exchange.parameter", fmt.Sprintf("Tham số “%.40s”: %s.", name, vi), fmt.Sprintf("Parameter %.40q: %s.", name, en))
}

func notOffered(name string) error {
	return outcome.New(outcome.NotSupported, "exchange.not-offered",
		fmt.Sprintf("Máy chủ không có tham số “%.40s” cho việc xuất dữ liệu.", name), fmt.Sprintf("This server does not offer the export parameter %.40q.", name))
}

// startExport is the kick-off (Bulk Data Access 2.0.0 export.html#bulk-data-kick-off-request).
func (s *Service) startExport(w http.ResponseWriter, r *http.Request) error {
	if !prefers(r, "respond-async") {
		return errNoAsync
	}
	q, err := asked(r)
	if err != nil {
		return err
	}
	spec := exportSpec{Base: base(r), Time: s.Clock.Now().Add(-settle)}
	if err := spec.read(q, prefers(r, "handling=lenient")); err != nil {
		return err
	}
	a, err := s.access(r.Context())
	if err != nil {
		return err
	}
	level := exportLevel{group: r.PathValue("id"), persons: !strings.HasSuffix(r.URL.Path, root+"/$export"), patients: q["patient"]}
	if len(level.patients) > 0 && (r.Method != http.MethodPost || !level.persons) {
		return errLevel
	}
	if err := s.reach(r.Context(), a, level, &spec); err != nil {
		return err
	}
	if err := s.settleTypes(a, level, &spec); err != nil {
		return err
	}
	jobID, err := s.enqueue(r.Context(), kindExport, base(r)+strings.TrimPrefix(r.URL.RequestURI(), root), spec, exportPlace{}, nil)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Location", base(r)+"/$job/"+jobID)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

type exportLevel struct {
	group    string
	persons  bool
	patients []string
}

// read takes the parameters in. One that is not known is refused: left out it
// would widen the export; the client may allow that (Prefer: handling=lenient).
func (e *exportSpec) read(q url.Values, lenient bool) (err error) {
	for name, list := range q {
		switch name {
		case "_outputFormat":
			for _, f := range list {
				if !slices.Contains([]string{"application/fhir+ndjson", "application/ndjson", "ndjson"}, strings.ReplaceAll(f, " ", "+")) {
					return badParameter(name, "chỉ xuất được application/fhir+ndjson", "only application/fhir+ndjson is written")
				}
			}
		case "_since":
			e.Since, err = instantOf(name, list)
		case "_until":
			e.Until, err = instantOf(name, list)
		case "_type":
			e.Types = splitAll(list)
		case "_elements":
			e.Elements = splitAll(list)
		case "_typeFilter":
			err = e.filters(list)
		case "patient", "_format", "_pretty":
		default: // includeAssociatedData and organizeOutputBy among them
			if !lenient {
				return notOffered(name)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func instantOf(name string, list []string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.Replace(list[0], " ", "+", 1)) // an unescaped "+" of a zone
	if err != nil || len(list) > 1 {
		return t, badParameter(name, "phải là một thời điểm đầy đủ (instant)", "must be one full instant")
	}
	return t.UTC(), nil
}

func splitAll(list []string) (out []string) {
	for _, text := range list {
		for one := range strings.SplitSeq(text, ",") {
			if one = strings.TrimSpace(one); one != "" && !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out
}

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

// reach settles whose records are exported.
func (s *Service) reach(ctx context.Context, a store.Access, level exportLevel, spec *exportSpec) error {
	spec.Persons = level.persons
	var wanted []string
	for _, ref := range level.patients {
		id, ok := strings.CutPrefix(strings.TrimPrefix(ref, spec.Base+"/"), "Patient/")
		if !ok || id == "" || strings.Contains(id, "/") {
			return badParameter("patient", "phải là tham chiếu Patient/…", "must be a reference Patient/…")
		}
		wanted = append(wanted, id)
	}
	if level.group == "" && len(wanted) == 0 {
		return nil
	}
	return s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "exchange.export", Entity: level.group})
		members := wanted
		if level.group != "" {
			all, err := membersOf(ctx, r, level.group)
			if err != nil {
				return err
			}
			if len(wanted) == 0 {
				members = all
			}
			for _, id := range wanted {
				if !slices.Contains(all, id) {
					return errNotMember
				}
			}
		}
		for _, id := range wanted {
			if _, err := r.Read(ctx, store.Key{Type: "Patient", ID: id}); err != nil {
				return errNotMember.Because(err)
			}
		}
		if len(members) > maxMembers {
			return errManyMembers
		}
		slices.Sort(members)
		spec.Patients = append([]string{}, slices.Compact(members)...) // never nil: nil is everybody
		return nil
	})
}

// membersOf lists the patients of a group (FHIR R4 group.html).
func membersOf(ctx context.Context, r store.Reader, group string) (list []string, err error) {
	res, err := r.Read(ctx, store.Key{Type: "Group", ID: group})
	if err != nil {
		return nil, err
	}
	doc, err := r4.Parse(res.Body)
	if err != nil {
		return nil, err
	}
	if !doc.Root().Get("actual").Bool() {
		return nil, errGroup
	}
	for m := range doc.Root().Get("member").Elems() {
		if m.Get("inactive").Bool() {
			continue
		}
		id, ok := strings.CutPrefix(m.Get("entity").Get("reference").Text(), "Patient/")
		if !ok || strings.Contains(id, "/") {
			return nil, errGroup
		}
		list = append(list, id)
	}
	return list, nil
}

// settleTypes settles which types are exported, and reads every query once, so
// that the client learns at once what cannot be answered.
func (s *Service) settleTypes(a store.Access, level exportLevel, spec *exportSpec) error {
	fits := func(typ string) bool {
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
