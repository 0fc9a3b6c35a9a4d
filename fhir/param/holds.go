package param

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
)

// Meta is what a store knows of a resource beside its text.
type Meta struct {
	ID      string
	Updated time.Time
}

// Values gives the values of _id and _lastUpdated, to be put beside those of Extract.
func (m Meta) Values() []Value {
	ms := m.Updated.UnixMilli()
	return []Value{{Param: "_id", Kind: Token, Code: m.ID}, {Param: "_lastUpdated", Kind: Date, Lo: ms, Hi: ms + 1}}
}

// Holds says whether a clause is true of a resource of the type with these
// values (of Extract, and of Meta for _id and _lastUpdated). It is the meaning
// of a search: what a store finds must be what Holds says.
//
// A clause holds when one of the resource's values meets one of the values
// asked for, also "ne" (a value that is another one; a resource without any
// meets it not). Only :not turns the whole round, so that it is true of
// resources without the parameter (FHIR R4 search.html#modifiers). A reference
// is compared as it is: to widen a golden person to its records is the caller's.
//
// outcome.NotSupported: chains and _has, which need other resources; :in,
// :not-in, :above and :below of tokens, which need terminology; _text and
// _content, see HoldsText.
func (r *Registry) Holds(c Clause, typ string, values []Value) (bool, error) {
	if c.Chain != nil || c.HasType != "" || c.Param == "_text" || c.Param == "_content" {
		return false, cannot(c)
	}
	p, err := r.find(typ, c.Param)
	if err != nil {
		return false, err
	}
	if c.Modifier == "missing" {
		has := slices.ContainsFunc(values, func(v Value) bool { return v.Param == c.Param })
		return slices.ContainsFunc(c.Values, func(m Match) bool { return m.Missing != has }), nil
	}
	test, err := r.test(p, c)
	if err != nil {
		return false, err
	}
	for _, v := range values {
		if v.Param != c.Param || v.Kind != c.Kind {
			continue
		}
		for _, m := range c.Values {
			if test(v, m) {
				return c.Modifier != "not", nil
			}
		}
	}
	return c.Modifier == "not", nil
}

func cannot(c Clause) error {
	what := c.Param
	if c.Modifier != "" {
		what += ":" + c.Modifier
	}
	return outcome.New(outcome.NotSupported, "param.holds",
		fmt.Sprintf("Không thể xét điều kiện “%.64s” chỉ trên một tài nguyên.", what),
		fmt.Sprintf("The condition %.64q can't be told from one resource alone.", what))
}

// test is the comparison of one value with one match.
func (r *Registry) test(p *parameter, c Clause) (func(Value, Match) bool, error) {
	tests := map[string]func(Value, Match) bool{}
	switch c.Kind {
	case Token:
		tests = map[string]func(Value, Match) bool{"": token, "not": token, "text": textBegins, "of-type": ofType,
			"unequal": func(v Value, m Match) bool { return v.Code+v.System != "" && !token(v, m) }}
	case String:
		tests = map[string]func(Value, Match) bool{"": textBegins, "exact": exactly, "contains": contains,
			"equals":  func(v Value, m Match) bool { return fold.Key(v.Text) == fold.Key(m.Value.Text) },
			"unequal": func(v Value, m Match) bool { return fold.Key(v.Text) != fold.Key(m.Value.Text) },
			"starts":  func(v Value, m Match) bool { return strings.HasPrefix(fold.Key(v.Text), fold.Key(m.Value.Text)) },
			"ends":    func(v Value, m Match) bool { return strings.HasSuffix(fold.Key(v.Text), fold.Key(m.Value.Text)) }}
	case Date:
		tests = map[string]func(Value, Match) bool{"": inTime, "overlaps": overlaps,
			"covers": func(v Value, m Match) bool { return v.Lo <= m.Value.Lo && v.Hi >= m.Value.Hi }}
	case Number:
		tests = map[string]func(Value, Match) bool{"": func(v Value, m Match) bool { return inRange(v, m.Value, m.Prefix) }}
	case Quantity:
		tests = map[string]func(Value, Match) bool{"": quantity}
	case URI:
		tests = map[string]func(Value, Match) bool{"": sameText, "above": func(v Value, m Match) bool { return m.Value.Text == v.Text || under(noVersion(m.Value.Text), v.Text) },
			"below":   func(v Value, m Match) bool { return under(v.Text, m.Value.Text) },
			"unequal": func(v Value, m Match) bool { return !sameText(v, m) }}
	case Reference:
		return refers(p, c)
	case Composite:
		return r.together(p, c)
	case Special:
		if c.Param == "near" {
			tests[""] = func(v Value, m Match) bool {
				return distance(v.Lat, v.Long, m.Value.Lat, m.Value.Long) <= m.Radius
			}
		}
	}
	if t := tests[c.Modifier]; t != nil {
		return t, nil
	}
	return nil, cannot(c)
}

// token compares a code (FHIR R4 search.html#token), letter by letter.
func token(v Value, m Match) bool {
	switch {
	case m.AnySystem:
		return v.Code != "" && v.Code == m.Value.Code
	case m.Value.Code == "":
		return v.System != "" && v.System == m.Value.System
	}
	return v.Code == m.Value.Code && v.System == m.Value.System
}

func ofType(v Value, m Match) bool {
	return len(m.Value.OfType) == 1 && slices.Contains(v.OfType, m.Value.OfType[0]) && v.Code != "" && v.Code == m.Value.Code
}

// textBegins is a search of text: from the start of any word, folded
// (search.html#string; DESIGN.md decision 7).
func textBegins(v Value, m Match) bool {
	key := fold.Key(m.Value.Text)
	return key != "" && strings.Contains(" "+fold.Key(v.Text), " "+key)
}

func contains(v Value, m Match) bool {
	key := fold.Key(m.Value.Text)
	return key != "" && strings.Contains(fold.Key(v.Text), key)
}

func exactly(v Value, m Match) bool { return fold.NFC(v.Text) == fold.NFC(m.Value.Text) }

func sameText(v Value, m Match) bool { return v.Text != "" && v.Text == m.Value.Text }

// under says whether a URL is another one or stands below it, segment by
// segment (search.html#uri); a URN has no levels.
func under(url, base string) bool {
	if base == "" || strings.HasPrefix(base, "urn:") {
		return false
	}
	rest, ok := strings.CutPrefix(url, base)
	return ok && (rest == "" || strings.HasSuffix(base, "/") || strings.ContainsRune("/?#|", rune(rest[0])))
}

func noVersion(url string) string {
	url, _, _ = strings.Cut(url, "|")
	return url
}

// inTime compares two spans of time (search.html#prefix).
func inTime(v Value, m Match) bool {
	lo, hi := m.Value.Lo, m.Value.Hi
	inside := v.Lo >= lo && v.Hi <= hi
	switch m.Prefix {
	case "eq":
		return inside
	case "ne":
		return !inside
	case "gt":
		return v.Hi > hi
	case "lt":
		return v.Lo < lo
	case "ge":
		return v.Hi > hi || inside
	case "le":
		return v.Lo < lo || inside
	case "sa":
		return v.Lo >= hi
	case "eb":
		return v.Hi <= lo
	case "ap":
		return overlaps(v, m)
	}
	return false
}

func overlaps(v Value, m Match) bool { return v.Lo < m.Value.Hi && v.Hi > m.Value.Lo }

// inRange compares numbers. Only eq, ne and ap look at the precision of what is
// asked; what the resource says is exact (search.html#number).
func inRange(v, asked Value, prefix string) bool {
	x := asked.Num
	inside := !v.OpenLo && !v.OpenHi && v.NumLo.Cmp(asked.NumLo) >= 0 && v.NumHi.Cmp(asked.NumHi) < 0
	switch prefix {
	case "eq":
		return inside
	case "ne":
		return !inside
	case "gt":
		return v.OpenHi || v.NumHi.Cmp(x) > 0
	case "lt":
		return v.OpenLo || v.NumLo.Cmp(x) < 0
	case "ge":
		return v.OpenHi || v.NumHi.Cmp(x) >= 0
	case "le":
		return v.OpenLo || v.NumLo.Cmp(x) <= 0
	case "sa":
		return !v.OpenLo && v.NumLo.Cmp(x) > 0
	case "eb":
		return !v.OpenHi && v.NumHi.Cmp(x) < 0
	case "ap":
		return (v.OpenLo || v.NumLo.Cmp(asked.NumHi) <= 0) && (v.OpenHi || v.NumHi.Cmp(asked.NumLo) >= 0)
	}
	return false
}

// quantity compares amounts in the unit asked for: any when none was named, by
// its code or its words ("5||mg"), or by its system and code, of UCUM also what
// can be converted (search.html#quantity).
func quantity(v Value, m Match) bool {
	switch a := m.Value; {
	case a.Code == "" && a.System == "":
	case m.AnySystem:
		if v.Code != a.Code && v.Text != a.Code {
			return false
		}
	case v.System != a.System:
		return false
	case a.System == ucumSystem && (v.Base != nil || a.Base != nil):
		x, y := based(v), based(a)
		return x.Code == y.Code && inRange(x, y, m.Prefix)
	case v.Code != a.Code:
		return false
	}
	return inRange(v, m.Value, m.Prefix)
}

// based is a quantity in base units, or as it is.
func based(v Value) Value {
	if b := v.Base; b != nil {
		v.Code, v.Num, v.NumLo, v.NumHi = b.Code, b.Num, b.Lo, b.Hi
	}
	return v
}

// refers compares references (search.html#reference).
func refers(p *parameter, c Clause) (func(Value, Match) bool, error) {
	switch {
	case c.Modifier == "identifier":
		return func(v Value, m Match) bool {
			return v.Code != "" && v.Code == m.Value.Code && v.System == m.Value.System
		}, nil
	case c.Modifier == "above" || c.Modifier == "below":
		below := c.Modifier == "below"
		return func(v Value, m Match) bool {
			x, y := v.Text, m.Value.Text
			if !below {
				x, y = y, x
			}
			if !below && !strings.Contains(v.Text, "|") { // a canonical without a version, or the second value of one that has it
				return false
			}
			return m.Value.ID == "" && older(x, y)
		}, nil
	case c.Modifier == "unequal":
		return func(v Value, m Match) bool { return v.ID+v.Text != "" && !points(v, m.Value) }, nil
	case c.Modifier == "" || p.pointsAt(c.Modifier):
		return func(v Value, m Match) bool { return points(v, m.Value) }, nil
	}
	return nil, cannot(c)
}

func points(v, asked Value) bool {
	if asked.ID != "" {
		return v.ID == asked.ID && (asked.Type == "" || v.Type == asked.Type)
	}
	return v.Text != "" && v.Text == asked.Text
}

// older says whether a canonical is that of the version asked for or one below
// it: …|1 has …|1.2 and …|1.2.3 below it (search.html#reference, canonicals).
func older(canonical, asked string) bool {
	url, version, _ := strings.Cut(asked, "|")
	have, number, _ := strings.Cut(canonical, "|")
	if url == "" || have != url {
		return false
	}
	return version == "" || number == version || strings.HasPrefix(number, version+".")
}

// together compares the parts of a composite: all of one value at once (search.html#combining).
func (r *Registry) together(p *parameter, c Clause) (func(Value, Match) bool, error) {
	if c.Modifier != "" {
		return nil, cannot(c)
	}
	tests := make([]func(Value, Match) bool, len(p.parts))
	for i, part := range p.parts {
		t, err := r.test(part, Clause{Param: part.Code, Kind: part.Kind})
		if err != nil {
			return nil, err
		}
		tests[i] = t
	}
	return func(v Value, m Match) bool {
		if len(v.Parts) != len(tests) || len(m.Parts) != len(tests) {
			return false
		}
		for i, t := range tests {
			if !t(v.Parts[i], m.Parts[i]) {
				return false
			}
		}
		return true
	}, nil
}
