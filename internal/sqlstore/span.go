package sqlstore

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/param"
)

// dated names the search parameter whose lower bound is the clinical date d of
// a type: lists are kept in its order, so a sort by it costs nothing.
var dated = map[string]string{
	"AllergyIntolerance": "onset", "Appointment": "date", "CarePlan": "date", "ClinicalImpression": "date", "Composition": "date",
	"Condition": "onset-date", "DiagnosticReport": "date", "DocumentReference": "date", "Encounter": "date", "EpisodeOfCare": "date",
	"Immunization": "date", "MedicationDispense": "whenhandedover", "MedicationRequest": "authoredon", "Observation": "date",
	"Procedure": "date", "ServiceRequest": "authored",
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
			and = append(and, compareTime(q, x+".lo", x+".hi", c.Values[0]))
		}
		return strings.Join(and, " AND ")
	}
	return cond{
		sql: func(q *text, a string) string {
			return fmt.Sprintf(`EXISTS (SELECT 1 FROM span x WHERE x.rid = %s.rid AND %s)`, a, all(q, "x"))
		},
		from: func(q *text) (string, string) { return "span", all(q, "a") },
		once: true, in: in, rear: len(list) == 1 && rising(list[0].Values[0].Prefix),
	}
}

// rising says whether what is asked for lies at the end of the index.
func rising(prefix string) bool { return prefix == "gt" || prefix == "ge" || prefix == "ne" }

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

// ranges compares dates, numbers and quantities: one value of the resource with
// one that is asked for (FHIR R4 search.html#prefix).
func (t *tx) ranges(ctx context.Context, typ string, c param.Clause) (out cond, exact bool, err error) {
	h, codes := t.s.h, make([]int64, len(c.Values))
	exact = true
	for _, m := range c.Values {
		if c.Modifier == "overlaps" && c.Kind == param.Date {
			continue
		}
		if c.Modifier != "" || m.Prefix == "ap" && c.Kind == param.Date && m.Value.Lo > m.Value.Hi {
			return out, false, nil
		}
		if c.Kind != param.Date {
			exact = exact && short(m.Value.Num) && short(m.Value.NumLo) && short(m.Value.NumHi)
		}
	}
	asked := make([]param.Match, len(c.Values))
	for i, m := range c.Values {
		if c.Modifier == "overlaps" {
			m.Prefix = "ap"
		}
		var unit string
		if unit, asked[i] = unitOf(c.Kind, m); asked[i].Value.Base != nil {
			exact = exact && short(asked[i].Value.Num) && short(asked[i].Value.NumLo) && short(asked[i].Value.NumHi)
		}
		codes[i] = h.param(typ, c.Param, unit)
	}
	if c.Kind != param.Date {
		long, err := t.any(ctx, h.of("long", typ, c.Param))
		if err != nil {
			return out, false, err
		}
		exact = exact && !long
	}
	all := func(q *text, x string) string {
		or := make([]string, len(asked))
		for i, m := range asked {
			s := ""
			if c.Kind == param.Date {
				s = compareTime(q, x+".lo", x+".hi", m)
			} else {
				s = compareNumber(q, x, m, !exact)
			}
			or[i] = fmt.Sprintf("(%s.p = %s AND %s)", x, q.arg(codes[i]), s)
		}
		return "(" + strings.Join(or, " OR ") + ")"
	}
	out = cond{
		sql: func(q *text, a string) string {
			return fmt.Sprintf(`EXISTS (SELECT 1 FROM span x WHERE x.rid = %s.rid AND %s)`, a, all(q, "x"))
		},
	}
	if len(asked) == 1 {
		out.from = func(q *text) (string, string) { return "span", all(q, "a") }
		out.rear = rising(asked[0].Prefix)
	}
	return out, exact, nil
}

// unitOf names the amounts that a match is compared with, and gives it in their unit.
func unitOf(k param.Kind, m param.Match) (string, param.Match) {
	switch v := m.Value; {
	case k == param.Date:
		return "", m
	case v.Code == "" && v.System == "":
		return "n", m
	case m.AnySystem:
		return "n|" + v.Code, m
	case v.Base != nil:
		m.Value.Num, m.Value.NumLo, m.Value.NumHi = v.Base.Num, v.Base.Lo, v.Base.Hi
		return "n" + v.System + "|" + v.Base.Code, m
	default:
		return "n" + v.System + "|" + v.Code, m
	}
}

// compareTime compares the time from lo to hi, which is not part of it, with what is asked.
func compareTime(q *text, lo, hi string, m param.Match) string {
	from := func() string { return q.arg(m.Value.Lo) }
	to := func() string { return q.arg(m.Value.Hi) }
	inside := func() string { // where the beginning lies is known as well, and an index goes by it
		until := to()
		return fmt.Sprintf("(%s >= %s AND %s <= %s AND %s <= %s)", lo, from(), hi, until, lo, until)
	}
	switch m.Prefix {
	case "ne":
		return "NOT " + inside()
	case "gt":
		return hi + " > " + to()
	case "lt":
		return lo + " < " + from()
	case "ge":
		return fmt.Sprintf("(%s > %s OR %s)", hi, to(), inside())
	case "le":
		return fmt.Sprintf("(%s < %s OR %s)", lo, from(), inside())
	case "sa":
		return lo + " >= " + to()
	case "eb":
		end := from()
		return fmt.Sprintf("(%s <= %s AND %s <= %s)", hi, end, lo, end)
	case "ap":
		return fmt.Sprintf("(%s < %s AND %s > %s)", lo, to(), hi, from())
	}
	return inside()
}

// compareNumber compares the range of row x with what is asked. loose lets in
// what floats can't tell from the bound.
func compareNumber(q *text, x string, m param.Match, loose bool) string {
	num := func() string { return q.arg(sortable(float(m.Value.Num))) }
	low := func() string { return q.arg(sortable(float(m.Value.NumLo))) }
	high := func() string { return q.arg(sortable(float(m.Value.NumHi))) }
	less, more := "<", ">"
	if loose {
		less, more = "<=", ">="
	}
	switch m.Prefix {
	case "ne":
		if loose {
			return "TRUE"
		}
		return fmt.Sprintf("NOT (%[1]s.lo >= %[2]s AND %[1]s.hi < %[3]s)", x, low(), high())
	case "gt":
		return fmt.Sprintf("%s.hi %s %s", x, more, num())
	case "lt":
		return fmt.Sprintf("%s.lo %s %s", x, less, num())
	case "ge":
		return fmt.Sprintf("%s.hi >= %s", x, num())
	case "le":
		return fmt.Sprintf("%s.lo <= %s", x, num())
	case "sa":
		return fmt.Sprintf("%s.lo %s %s", x, more, num())
	case "eb":
		return fmt.Sprintf("%s.hi %s %s", x, less, num())
	case "ap":
		return fmt.Sprintf("(%[1]s.lo <= %[3]s AND %[1]s.hi >= %[2]s)", x, low(), high())
	}
	until := high()
	return fmt.Sprintf("(%[1]s.lo >= %[2]s AND %[1]s.hi %[4]s %[3]s AND %[1]s.lo <= %[3]s)", x, low(), until, less)
}

// short says whether floats tell a number from all others of up to 15 digits:
// those are different floats in the same order.
func short(d decimal.Decimal) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(d.String()), "e")
	digits := strings.Trim(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, mantissa), "0")
	f := math.Abs(float(d))
	return len(digits) <= 15 && f < 1e300 && (f > 1e-300 || digits == "")
}
