package sqlstore

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
)

const defaultCount = 50

// dated names the search parameter whose lower bound is the clinical date d of
// a type: lists are kept in its order, so a sort by it costs nothing.
var dated = map[string]string{
	"AllergyIntolerance": "onset", "Appointment": "date", "CarePlan": "date", "ClinicalImpression": "date", "Composition": "date",
	"Condition": "onset-date", "DiagnosticReport": "date", "DocumentReference": "date", "Encounter": "date", "EpisodeOfCare": "date",
	"Immunization": "date", "MedicationDispense": "whenhandedover", "MedicationRequest": "authoredon", "Observation": "date",
	"Procedure": "date", "ServiceRequest": "authored",
}

// cond is one condition of a search. v, when set, is a list of postings any of
// which must hold; else sql says it of the row named a. not turns it round.
type cond struct {
	v    []int64
	sql  func(q *text, a string) string
	from func(q *text) (table, where string) // how it may lead the search when it is no posting
	not  bool
	once bool   // from gives a resource once at most
	void bool   // holds for every resource of the type
	in   *place // what the condition says about d, the place in lists
}

// place bounds d: after < d ≤ last. d is the clinical date turned round, since the newest come first.
type place struct{ after, last int64 }

// within writes the bounds, if any, of the row named a.
func (p *place) within(q *text, a string) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf(" AND %[1]s.d > %[2]s AND %[1]s.d <= %[3]s", a, q.arg(p.after), q.arg(p.last))
}

// text builds SQL with its arguments.
type text struct{ args []any }

func (q *text) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

func (q *text) list(v []int64) string {
	s := make([]string, len(v))
	for i, x := range v {
		s[i] = q.arg(x)
	}
	return strings.Join(s, ",")
}

func (c cond) where(q *text, a string) string {
	s := ""
	if c.v != nil {
		s = fmt.Sprintf(`EXISTS (SELECT 1 FROM post x WHERE x.v IN (%s) AND x.d = %[2]s.d AND x.rid = %[2]s.rid AND x.cp = %[2]s.cp)`, q.list(c.v), a)
	} else {
		s = c.sql(q, a)
	}
	if c.not {
		return "NOT " + s
	}
	return s
}

func unsupported(what string) error {
	return outcome.New(outcome.NotSupported, "store.search",
		fmt.Sprintf("Máy chủ chưa trả lời chính xác được kiểu tìm kiếm này: %.80s.", what),
		fmt.Sprintf("The server can't answer this kind of search exactly yet: %.80s.", what))
}

func (t *tx) Search(ctx context.Context, q param.Query) (*store.Page, error) {
	if q.Type == "" || len(q.Types) > 0 {
		return nil, unsupported("several types at once")
	}
	if len(q.Includes) > 0 {
		return nil, unsupported("_include")
	}
	if !t.a.Filter.May(q.Type, store.CanSearch) {
		return nil, errMayNot
	}
	if err := t.flush(ctx); err != nil { // what this transaction wrote is to be found
		return nil, err
	}
	conds, names, err := t.conditions(ctx, q)
	if err != nil {
		return nil, err
	}
	oldest, err := order(q)
	if err != nil {
		return nil, err
	}
	lead, ordered, err := t.lead(ctx, conds)
	if err != nil {
		return nil, err
	}
	page := &store.Page{Total: -1}
	if q.Total == "accurate" || q.Summary == "count" {
		if page.Total, err = t.total(ctx, conds, lead); err != nil {
			return nil, err
		}
	}
	if q.Summary != "count" {
		err = t.page(ctx, q, conds, ordered, oldest, page)
	}
	t.act("search %s %s: %d of %d", q.Type, strings.Join(names, " "), len(page.Matches), page.Total)
	return page, err
}

// order says whether the oldest come first; without a sort the newest do.
func order(q param.Query) (oldest bool, err error) {
	switch {
	case len(q.Sort) == 0:
		return false, nil
	case len(q.Sort) == 1 && dated[q.Type] == q.Sort[0].Param:
		return !q.Sort[0].Desc, nil
	}
	return false, unsupported("_sort")
}

// conditions are the gate's and the query's.
func (t *tx) conditions(ctx context.Context, q param.Query) (conds []cond, names []string, err error) {
	h, f := t.s.h, t.a.Filter
	if !f.All {
		var v []int64
		for _, p := range f.Patients {
			v = append(v, h.of("pat", q.Type, p))
		}
		for _, o := range f.Owners {
			v = append(v, h.of("own", q.Type, o))
		}
		if f.Public && publicTypes[q.Type] {
			v = append(v, h.of("pub", q.Type))
		}
		if v == nil {
			v = []int64{h.of("none", q.Type)} // sees nothing of this type
		}
		conds = append(conds, cond{v: v})
	}
	var dates []param.Clause
	for _, c := range q.Where {
		names = append(names, c.Param)
		if clinical(q.Type, c) {
			dates = append(dates, c)
			continue
		}
		made, err := t.condition(ctx, q.Type, c)
		if err != nil {
			return nil, nil, err
		}
		conds = append(conds, made)
	}
	if dates != nil {
		conds = append(conds, h.clinicalCondition(q.Type, dates))
	}
	return append(conds, cond{v: []int64{h.of("all", q.Type)}, void: true}), names, nil
}

func (t *tx) condition(ctx context.Context, typ string, c param.Clause) (cond, error) {
	h := t.s.h
	switch {
	case c.Chain != nil || c.HasType != "":
		return cond{}, unsupported("chained reference " + c.Param)
	case c.Param == "_id":
		return idCondition(typ, c), nil
	case c.Param == "_lastUpdated":
		return spanCondition(c, func(q *text, a, lohi string) string {
			return fmt.Sprintf(`EXISTS (SELECT 1 FROM (SELECT rid, cp, updated AS lo, updated + 1 AS hi FROM res) x WHERE x.rid = %[1]s.rid AND x.cp = %[1]s.cp AND %[2]s)`, a, lohi)
		}, nil)
	case c.Modifier == "missing":
		return t.present(ctx, typ, c)
	}
	switch c.Kind {
	case param.Token:
		return t.token(typ, c)
	case param.URI:
		if c.Modifier != "" {
			return cond{}, unsupported(c.Param + ":" + c.Modifier)
		}
		out := cond{}
		for _, m := range c.Values {
			out.v = append(out.v, h.of("u", typ, c.Param, m.Value.Text))
		}
		return out, nil
	case param.String:
		return t.words(typ, c)
	case param.Reference:
		return t.reference(ctx, typ, c)
	case param.Date, param.Number, param.Quantity:
		p := make([]int64, len(c.Values))
		for i, m := range c.Values {
			p[i] = h.param(typ, c.Param, unitOf(c.Kind, m))
		}
		return spanCondition(c, nil, p)
	}
	return cond{}, unsupported(c.Param)
}

// exact are the types whose dated parameter is their clinical date and nothing else.
var exact = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for typ, code := range dated {
		m[typ] = param.IsClinicalDate(typ, code)
	}
	return m
})

// misplaced says whether a resource stands in lists elsewhere than where its
// dated parameter begins, since that has no beginning or is not given. Such
// resources have a posting, so that d answers for all others.
func misplaced(typ string, values []param.Value, d int64) bool {
	if !exact()[typ] {
		return false
	}
	for _, v := range values {
		if v.Param == dated[typ] && v.Lo == -d && v.Lo != param.Earliest {
			return false
		}
	}
	return true
}

// clinical says whether a clause compares the clinical date of a type, which has one value at most.
func clinical(typ string, c param.Clause) bool {
	return c.Kind == param.Date && dated[typ] == c.Param && c.Modifier == "" && c.Chain == nil && c.HasType == "" &&
		len(c.Values) == 1 && c.Values[0].Prefix != "ne" && c.Values[0].Prefix != "ap" && exact()[typ]
}

// clinicalCondition joins the clauses about the clinical date: they hold for
// the same value. "Begins after this day and before that one" is a range of
// places in lists, which costs nothing; others are one range of the index.
func (h hasher) clinicalCondition(typ string, list []param.Clause) cond {
	in, only := placeOf(list)
	if only {
		return cond{v: []int64{h.of("misplaced", typ)}, not: true, in: in}
	}
	p := h.param(typ, list[0].Param, "")
	all := func(q *text, x string) string {
		and := []string{fmt.Sprintf("%s.p = %s", x, q.arg(p))}
		for _, c := range list {
			and = append(and, compare(q, x, c.Kind, c.Values[0]))
		}
		return strings.Join(and, " AND ")
	}
	return cond{
		sql: func(q *text, a string) string {
			return fmt.Sprintf(`EXISTS (SELECT 1 FROM span x WHERE x.rid = %s.rid AND %s)`, a, all(q, "x"))
		},
		from: func(q *text) (string, string) { return "span", all(q, "a") },
		once: true, in: in,
	}
}

// placeOf is where in lists the resources are that meet the clauses: nil when
// one that is misplaced may meet them. only: whatever stands there and is not
// misplaced meets them.
func placeOf(list []param.Clause) (in *place, only bool) {
	lo, end := int64(math.MinInt64), int64(math.MaxInt64) // lo ≤ beginning < end
	only = true
	for _, c := range list {
		m := c.Values[0]
		switch m.Prefix {
		case "sa":
			lo = max(lo, m.Value.Hi)
			continue
		case "lt":
			end = min(end, m.Value.Lo)
			continue
		case "eq":
			lo, end = max(lo, m.Value.Lo), min(end, m.Value.Hi)
		case "eb":
			end = min(end, m.Value.Lo)
		case "le":
			end = min(end, m.Value.Hi)
		}
		only = false
	}
	switch {
	case lo == math.MinInt64:
		return nil, false
	case end == math.MaxInt64:
		return &place{math.MinInt64, -lo}, only
	}
	return &place{-end, -lo}, only
}

func unitOf(k param.Kind, m param.Match) string {
	switch {
	case k == param.Date:
		return ""
	case m.Value.Code == "":
		return "n"
	case m.AnySystem:
		return "n|" + m.Value.Code
	}
	return "n" + m.Value.System + "|" + m.Value.Code
}

// present answers :missing from the sets of parameters that resources of the type have.
func (t *tx) present(ctx context.Context, typ string, c param.Clause) (cond, error) {
	rows, err := t.c.Query(ctx, `SELECT v, params FROM paramset WHERE typ = $1`, typ)
	if err != nil {
		return cond{}, err
	}
	defer rows.Close()
	sets := []int64{t.s.h.of("none", typ)} // which nothing has
	for rows.Next() {
		var v int64
		var params string
		if err := rows.Scan(&v, &params); err != nil {
			return cond{}, err
		}
		if slices.Contains(strings.Fields(params), c.Param) {
			sets = append(sets, v)
		}
	}
	return cond{not: c.Values[0].Missing, sql: func(q *text, a string) string {
		return fmt.Sprintf(`EXISTS (SELECT 1 FROM post x WHERE x.v IN (%s) AND x.d = %[2]s.d AND x.rid = %[2]s.rid AND x.cp = %[2]s.cp)`, q.list(sets), a)
	}}, rows.Err()
}

func idCondition(typ string, c param.Clause) cond {
	where := func(q *text, a string) string {
		marks := make([]string, len(c.Values))
		t := q.arg(typ)
		for i, m := range c.Values {
			marks[i] = q.arg(m.Value.Code)
		}
		return fmt.Sprintf(`%s.rid IN (SELECT rid FROM ids WHERE typ = %s AND id IN (%s))`, a, t, strings.Join(marks, ","))
	}
	return cond{sql: where, not: c.Modifier == "not", from: func(q *text) (string, string) { return "res", where(q, "a") + " AND a.deleted = 0" }}
}

func (t *tx) token(typ string, c param.Clause) (cond, error) {
	h, out := t.s.h, cond{}
	for _, m := range c.Values {
		v := m.Value
		switch {
		case c.Modifier == "of-type" && len(v.OfType) == 1:
			out.v = append(out.v, h.of("of", typ, c.Param, v.OfType[0], v.Code))
		case c.Modifier != "" && c.Modifier != "not":
			return cond{}, unsupported(c.Param + ":" + c.Modifier)
		case m.AnySystem:
			out.v = append(out.v, h.of("c", typ, c.Param, v.Code))
		case v.Code == "":
			out.v = append(out.v, h.of("s", typ, c.Param, v.System))
		default:
			out.v = append(out.v, h.of("sc", typ, c.Param, v.System, v.Code))
		}
	}
	out.not = c.Modifier == "not"
	return out, nil
}

// words is a text search: from the start of any word, without regard to marks and case.
func (t *tx) words(typ string, c param.Clause) (cond, error) {
	h, out := t.s.h, cond{}
	p := h.param(typ, c.Param, "")
	var keys []string
	for _, m := range c.Values {
		if c.Modifier == "exact" {
			out.v = append(out.v, h.of("x", typ, c.Param, fold.NFC(m.Value.Text)))
			continue
		}
		key := strings.Join(strings.Fields(fold.Key(m.Value.Text)), " ")
		if key == "" || len(key) > maxText {
			return cond{}, unsupported(c.Param)
		}
		keys = append(keys, key)
	}
	switch c.Modifier {
	case "exact":
		return out, nil
	case "":
	default:
		return cond{}, unsupported(c.Param + ":" + c.Modifier)
	}
	match := func(q *text, a string) string {
		var or []string
		for _, k := range keys {
			or = append(or, fmt.Sprintf("(%[1]s.s >= %[2]s AND %[1]s.s < %[3]s)", a, q.arg(k), q.arg(upper(k))))
		}
		return fmt.Sprintf("%s.p = %s AND (%s)", a, q.arg(p), strings.Join(or, " OR "))
	}
	out.sql = func(q *text, a string) string {
		return fmt.Sprintf(`EXISTS (SELECT 1 FROM txt x WHERE x.rid = %s.rid AND %s)`, a, match(q, "x"))
	}
	out.from = func(q *text) (string, string) { return "txt", match(q, "a") }
	return out, nil
}

func (t *tx) reference(ctx context.Context, typ string, c param.Clause) (cond, error) {
	h, out := t.s.h, cond{}
	for _, m := range c.Values {
		v := m.Value
		switch {
		case c.Modifier == "identifier":
			out.v = append(out.v, h.of("ri", typ, c.Param, v.System, v.Code))
		case c.Modifier == "above" || c.Modifier == "below":
			return cond{}, unsupported(c.Param + ":" + c.Modifier)
		case v.ID == "":
			out.v = append(out.v, h.of("ru", typ, c.Param, v.Text))
		case v.Type == "":
			return cond{}, unsupported(c.Param + ": name the type, as in Patient/…")
		case c.Modifier != "" && c.Modifier != v.Type:
			return cond{}, unsupported(c.Param + ":" + c.Modifier)
		default:
			targets := []int64{h.target(v.Type, v.ID)}
			if v.Type == "Patient" {
				more, err := t.sources(ctx, v.ID)
				if err != nil {
					return cond{}, err
				}
				targets = append(targets, more...)
			}
			for _, x := range targets {
				out.v = append(out.v, h.ref(typ, c.Param, x))
				if c.Param == "patient" { // see alias
					out.v = append(out.v, h.ref(typ, "subject", x))
				}
			}
		}
	}
	return out, nil
}

// sources expands a person: the hashes of the source records that a golden
// Patient links (DESIGN.md decision 9). The links that a facility writes into
// its own record are never followed: a golden Patient is nobody's.
func (t *tx) sources(ctx context.Context, patient string) (list []int64, err error) {
	h := t.s.h
	rows, err := t.c.Query(ctx, `SELECT f.h FROM ids i JOIN res r ON r.rid = i.rid AND r.cp = i.cp JOIN refr f ON f.rid = r.rid AND f.p = $1
		WHERE i.typ = 'Patient' AND i.id = $2 AND r.owner = '' AND r.deleted = 0
		AND EXISTS (SELECT 1 FROM post x WHERE x.v = $3 AND x.d = r.d AND x.rid = r.rid AND x.cp = r.cp)`,
		h.param("Patient", "link", ""), patient, h.of("sc", "Patient", "_tag", "urn:ytso:tag", "golden"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var x int64
		if err := rows.Scan(&x); err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, rows.Err()
}

// spanCondition compares ranges (FHIR R4 search.html#prefix). p names the
// parameter of each value in span; exists, when given, looks elsewhere.
func spanCondition(c param.Clause, exists func(q *text, a, lohi string) string, p []int64) (cond, error) {
	type part struct {
		p int64
		m param.Match
	}
	var parts []part
	for i, m := range c.Values {
		x := part{m: m}
		if p != nil {
			x.p = p[i]
		}
		if m.Prefix == "ne" && len(c.Values) > 1 {
			return cond{}, unsupported(c.Param + " ne with several values")
		}
		parts = append(parts, x)
	}
	if c.Modifier != "" {
		return cond{}, unsupported(c.Param + ":" + c.Modifier)
	}
	not := parts[0].m.Prefix == "ne"
	all := func(q *text, x string) string {
		var or []string
		for _, pt := range parts {
			s := compare(q, x, c.Kind, pt.m)
			if p != nil {
				s = fmt.Sprintf("(%s.p = %s AND %s)", x, q.arg(pt.p), s)
			}
			or = append(or, s)
		}
		return "(" + strings.Join(or, " OR ") + ")"
	}
	for _, pt := range parts {
		if pt.m.Prefix == "ap" {
			return cond{}, unsupported(c.Param + " ap")
		}
	}
	if exists != nil {
		return cond{not: not, sql: func(q *text, a string) string { return exists(q, a, all(q, "x")) }}, nil
	}
	out := cond{not: not, sql: func(q *text, a string) string {
		return fmt.Sprintf(`EXISTS (SELECT 1 FROM span x WHERE x.rid = %s.rid AND %s)`, a, all(q, "x"))
	}}
	if len(parts) == 1 && !not {
		out.from = func(q *text) (string, string) { return "span", all(q, "a") }
	}
	return out, nil
}

// compare writes the comparison of the range lo to hi of row x with a value (FHIR R4 search.html#prefix); ne is eq, to be turned round.
func compare(q *text, x string, k param.Kind, m param.Match) string {
	lo, hi := bounds(k, m)
	inside := func() string {
		return fmt.Sprintf("(%[1]s.lo >= %[2]s AND %[1]s.hi <= %[3]s)", x, q.arg(lo), q.arg(hi))
	}
	after := func() string {
		if k != param.Date { // a number has no range of its own: gt and lt go by the value itself
			return fmt.Sprintf("%s.lo > %s", x, q.arg(sortable(float(m.Value.Num))))
		}
		return fmt.Sprintf("%s.hi > %s", x, q.arg(hi))
	}
	before := func() string {
		if k != param.Date {
			return fmt.Sprintf("%s.hi < %s", x, q.arg(sortable(float(m.Value.Num))))
		}
		return fmt.Sprintf("%s.lo < %s", x, q.arg(lo))
	}
	switch m.Prefix {
	case "gt":
		return after()
	case "lt":
		return before()
	case "ge":
		return "(" + after() + " OR " + inside() + ")"
	case "le":
		return "(" + before() + " OR " + inside() + ")"
	case "sa":
		return fmt.Sprintf("%s.lo >= %s", x, q.arg(hi))
	case "eb":
		return fmt.Sprintf("%s.hi <= %s", x, q.arg(lo))
	}
	return inside()
}

func bounds(k param.Kind, m param.Match) (lo, hi int64) {
	if k == param.Date {
		return m.Value.Lo, m.Value.Hi
	}
	return sortable(float(m.Value.NumLo)), sortable(float(m.Value.NumHi))
}

// probe is how far the postings of a condition are counted to find the rarest.
const probe = 400

// probe counts the rows of a condition up to the bound.
func (t *tx) probe(ctx context.Context, c cond, in *place) (n int64, err error) {
	var q text
	from, where := "post", ""
	if c.v != nil {
		where = fmt.Sprintf("a.v IN (%s)", q.list(c.v))
	} else {
		from, where = c.from(&q)
	}
	err = one(ctx, t.c, fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM %s a WHERE %s LIMIT %d) q`, from, where+in.within(&q, "a"), probe), q.args, &n)
	return n, err
}

// inOf gives the bounds that one of the conditions sets to d, nil when none does.
func inOf(conds []cond) *place {
	for _, c := range conds {
		if c.in != nil {
			return c.in
		}
	}
	return nil
}

// lead picks the condition that a search starts from: an id, else the rarest
// posting, else text or range, else all of the type. A page starts from a
// posting (ordered) rather than from a long range of dates, since postings are
// kept in the order of the page.
func (t *tx) lead(ctx context.Context, conds []cond) (best, ordered int, err error) {
	best, least := len(conds)-1, int64(probe+1)
	in := inOf(conds)
	for i, c := range conds[:len(conds)-1] {
		if c.not || c.v == nil && c.from == nil {
			continue
		}
		n, err := t.probe(ctx, c, in)
		if err != nil {
			return 0, 0, err
		}
		if n < least || n == least && c.v != nil && conds[best].v == nil {
			best, least = i, n
		}
	}
	if conds[best].once && least == probe {
		return best, len(conds) - 1, nil
	}
	return best, best, nil
}

// selects writes one SELECT of d, rid, cp for each posting of the leading condition.
func selects(q *text, conds []cond, lead int, tail func() string) []string {
	in := inOf(conds)
	rest := func() string {
		var and strings.Builder
		for i, c := range conds {
			if i == lead || c.void { // every row of the type is in "all"
				continue
			}
			and.WriteString(" AND " + c.where(q, "a"))
		}
		return and.String()
	}
	c := conds[lead]
	if c.v == nil {
		from, where := c.from(q)
		distinct := "DISTINCT "
		if c.once {
			distinct = ""
		}
		return []string{fmt.Sprintf(`SELECT %sa.d, a.rid, a.cp FROM %s a WHERE %s`, distinct, from, where) + in.within(q, "a") + rest() + tail()}
	}
	var out []string
	for _, v := range c.v {
		out = append(out, `SELECT a.d, a.rid, a.cp FROM post a WHERE a.v = `+q.arg(v)+in.within(q, "a")+rest()+tail())
	}
	return out
}

// total counts what meets the conditions. What a rare posting takes away is
// counted by itself and taken off, which spares a look at every other row.
func (t *tx) total(ctx context.Context, conds []cond, lead int) (int, error) {
	for i, c := range conds {
		if !c.not || c.v == nil {
			continue
		}
		if n, err := t.probe(ctx, c, nil); err != nil || n == probe {
			if err != nil {
				return 0, err
			}
			continue
		}
		c.not = false
		with := slices.Clone(conds)
		with[i] = c
		minus, err := t.count(ctx, with, i)
		if err != nil {
			return 0, err
		}
		without := slices.Clone(conds)
		without[i] = cond{v: conds[len(conds)-1].v, in: c.in, void: true}
		plus, err := t.total(ctx, without, lead)
		return plus - minus, err
	}
	return t.count(ctx, conds, lead)
}

func (t *tx) count(ctx context.Context, conds []cond, lead int) (n int, err error) {
	var q text
	list := selects(&q, conds, lead, func() string { return "" })
	var total int64
	err = one(ctx, t.c, `SELECT COUNT(*) FROM (`+strings.Join(list, " UNION ")+`) q`, q.args, &total)
	return int(total), err
}

func (t *tx) page(ctx context.Context, q param.Query, conds []cond, lead int, oldest bool, page *store.Page) error {
	n := q.Count
	if n <= 0 {
		n = defaultCount
	}
	var s text
	after, dir := ">", ""
	if oldest {
		after, dir = "<", " DESC"
	}
	from := ""
	if q.Cursor != "" {
		at, err := t.s.readCursor("search "+q.Type, q.Cursor, 2)
		if err != nil {
			return err
		}
		from = fmt.Sprintf(" AND (a.d, a.rid) %s (%s, %s)", after, s.arg(at[0]), s.arg(at[1]))
	}
	list := selects(&s, conds, lead, func() string { return fmt.Sprintf("%s ORDER BY a.d%[2]s, a.rid%[2]s LIMIT %[3]d", from, dir, n+1) })
	for i, x := range list {
		list[i] = fmt.Sprintf("SELECT d, rid, cp FROM (%s) u%d", x, i)
	}
	rows, err := t.c.Query(ctx, fmt.Sprintf(`SELECT d, rid, cp FROM (%s) z ORDER BY d%[2]s, rid%[2]s LIMIT %[3]d`, strings.Join(list, " UNION "), dir, n+1), s.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var hits []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.d, &r.rid, &r.cp); err != nil {
			return err
		}
		hits = append(hits, r)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(hits) > n {
		hits = hits[:n]
		page.Next = t.s.writeCursor("search "+q.Type, hits[n-1].d, hits[n-1].rid)
	}
	page.Matches, err = t.fetch(ctx, q.Type, hits)
	return err
}

// fetch reads the bodies of a page, some hundred at a time.
func (t *tx) fetch(ctx context.Context, typ string, hits []row) ([]*store.Resource, error) {
	out := make([]*store.Resource, 0, len(hits))
	for len(hits) > 0 {
		some := hits[:min(len(hits), 200)]
		hits = hits[len(some):]
		var q text
		rids := make([]int64, len(some))
		for i, h := range some {
			rids[i] = h.rid
		}
		found, err := t.rows(ctx, typ, `SELECT rid, id, version, updated, owner, pats, body FROM res WHERE deleted = 0 AND rid IN (`+q.list(rids)+`)`, q.args)
		if err != nil {
			return nil, err
		}
		for _, h := range some {
			if r, ok := found[h.rid]; ok {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

func (t *tx) rows(ctx context.Context, typ, sql string, args []any) (map[int64]*store.Resource, error) {
	rows, err := t.c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]*store.Resource{}
	for rows.Next() {
		var r stored
		var pats, id string
		if err := rows.Scan(&r.rid, &id, &r.version, &r.updated, &r.owner, &pats, &r.body); err != nil {
			return nil, err
		}
		r.pats = strings.Fields(pats)
		if !t.visible(typ, r.owner, r.pats) { // the index and the row say the same; if not, the row counts
			continue
		}
		t.saw(r.pats)
		if out[r.rid], err = r.resource(store.Key{Type: typ, ID: id}); err != nil {
			return nil, err
		}
	}
	return out, rows.Err()
}
