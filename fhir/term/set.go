package term

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// set is a value set ready to be asked.
type set struct {
	url, version, name string
	doc                r4.Node // zero for implied ones
	composed           bool    // it has a compose
	includes, excludes []clause
	noInactive         bool   // compose.inactive false
	locked             string // day of compose.lockedDate
	listed             *expansion
}

// clause is an include or exclude (FHIR R4 valueset.html#compositions).
type clause struct {
	system, version string
	codes           []listed
	index           map[string]int // code → place in codes
	filters         []filter
	sets            []string
}

type listed struct {
	code, display string
	node          r4.Node
}

// expansion is one that the resource brings along; it is asked where compose can't answer.
type expansion struct {
	codes    []Code
	index    map[string][]int
	complete bool
}

func compileSet(n r4.Node) *set {
	s := &set{url: n.Get("url").Text(), version: n.Get("version").Text(), name: first(n.Get("title").Text(), n.Get("name").Text()), doc: n}
	compose := n.Get("compose")
	s.composed = compose.Exists()
	s.noInactive = compose.Get("inactive").Text() == "false"
	s.locked = compose.Get("lockedDate").Text()
	for x := range compose.Get("include").Elems() {
		s.includes = append(s.includes, compileClause(x))
	}
	for x := range compose.Get("exclude").Elems() {
		s.excludes = append(s.excludes, compileClause(x))
	}
	if x := n.Get("expansion"); x.Exists() {
		s.listed = compileExpansion(x)
	}
	return s
}

func compileClause(n r4.Node) clause {
	c := clause{system: n.Get("system").Text(), version: n.Get("version").Text()}
	for x := range n.Get("concept").Elems() {
		if c.index == nil {
			c.index = map[string]int{}
		}
		code := x.Get("code").Text()
		if _, twice := c.index[code]; !twice {
			c.index[code] = len(c.codes)
			c.codes = append(c.codes, listed{code, x.Get("display").Text(), x})
		}
	}
	for x := range n.Get("filter").Elems() {
		c.filters = append(c.filters, newFilter(x.Get("property").Text(), x.Get("op").Text(), x.Get("value").Text()))
	}
	for x := range n.Get("valueSet").Elems() {
		c.sets = append(c.sets, x.Text())
	}
	return c
}

// unclosed marks an expansion that may not be complete (FHIR R4 extension-valueset-unclosed.html).
const unclosed = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed"

func compileExpansion(n r4.Node) *expansion {
	x := &expansion{index: map[string][]int{}}
	entries := 0
	var add func(r4.Node)
	add = func(n r4.Node) {
		for c := range n.Get("contains").Elems() {
			entries++
			if code := c.Get("code").Text(); code != "" {
				x.index[code] = append(x.index[code], len(x.codes))
				x.codes = append(x.codes, Code{c.Get("system").Text(), c.Get("version").Text(), code, c.Get("display").Text()})
			}
			add(c)
		}
	}
	add(n)
	total, whole := n.Get("total"), true
	for e := range n.Get("extension").Elems() {
		if e.Get("url").Text() == unclosed && e.Get("valueBoolean").Bool() {
			whole = false
		}
	}
	for p := range n.Get("parameter").Elems() { // an expansion of a part of the set, or a page
		switch p.Get("name").Text() {
		case "filter", "offset", "count", "limitedExpansion", "activeOnly":
			whole = whole && p.Get("name").Text() == "offset" && propertyValue(p).Text() == "0"
		}
	}
	x.complete = whole && total.Exists() && count(total.Text()) <= entries || whole && !total.Exists() && !n.Get("offset").Exists()
	return x
}

func count(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 1<<30 {
			return 1 << 30
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func (x *expansion) member(c Code, anySystem bool) Verdict {
	for _, i := range x.index[c.Code] {
		if at := x.codes[i]; anySystem && c.System == "" || at.System == c.System && sameVersion(at.Version, c.Version) {
			return Member
		}
	}
	if x.complete {
		return NotMember
	}
	return Unknown
}

func sameVersion(a, b string) bool { return a == "" || b == "" || a == b }

// member decides in three values: what can't be known of one clause matters only when no other clause decides.
func (e *evaluation) member(s *set, c Code, anySystem bool) (Verdict, error) {
	if c.Code == "" || c.System == "" && !anySystem {
		return NotMember, nil
	}
	v := Unknown
	if s.composed {
		leave, cycle := e.enter(s)
		if cycle { // the set is defined by itself: it says nothing
			return Unknown, nil
		}
		was, asked := e.day, e.day
		if asked == "" {
			e.day = s.locked
		}
		var err error
		v, err = e.composedMember(s, c, anySystem)
		leave()
		if e.day = was; err != nil && (asked != "" || !ofDay(err)) {
			return Unknown, err
		}
	}
	if v == Unknown && s.listed != nil {
		return s.listed.member(c, anySystem), nil
	}
	return v, nil
}

// enter goes into a value set; cycle says that the way leads through it already, or too deep.
func (e *evaluation) enter(s *set) (leave func(), cycle bool) {
	key := s.url + "|" + s.version
	if len(e.within) > 40 || s.url != "" && slices.Contains(e.within, key) {
		return nil, true
	}
	e.within = append(e.within, key)
	return func() { e.within = e.within[:len(e.within)-1] }, false
}

func (e *evaluation) composedMember(s *set, c Code, anySystem bool) (Verdict, error) {
	v, err := e.any(s.includes, c, anySystem, s.noInactive)
	if err != nil || v == NotMember || len(s.excludes) == 0 {
		return v, err
	}
	out, err := e.any(s.excludes, c, anySystem, false)
	switch {
	case err != nil:
		return Unknown, err
	case out == Member && c.System != "":
		return NotMember, nil
	case out == NotMember:
		return v, nil
	case out == Member: // a code of some system is left out; of which one was not said
		return e.memberOfEach(s, c)
	}
	return Unknown, nil
}

// memberOfEach asks a code without a system for each system that the set names: one may be left out and another not.
func (e *evaluation) memberOfEach(s *set, c Code) (Verdict, error) {
	v := NotMember
	for _, in := range s.includes {
		if in.system == "" {
			v = Unknown
			continue
		}
		c.System = in.system
		got, err := e.composedMember(s, c, false)
		if err != nil || got == Member {
			return got, err
		}
		if got == Unknown {
			v = Unknown
		}
	}
	return v, nil
}

func (e *evaluation) any(list []clause, c Code, anySystem, noInactive bool) (Verdict, error) {
	v := NotMember
	for i := range list {
		got, err := e.clause(&list[i], c, anySystem, noInactive)
		if err != nil || got == Member {
			return got, err
		}
		if got == Unknown {
			v = Unknown
		}
	}
	return v, nil
}

// clause asks one include or exclude: the system with its list or filters, and every imported set, must have the code.
func (e *evaluation) clause(in *clause, c Code, anySystem, noInactive bool) (v Verdict, err error) {
	if err := e.step(); err != nil {
		return Unknown, err
	}
	v = Member
	if in.system != "" {
		if c.System != in.system && !(anySystem && c.System == "") {
			return NotMember, nil
		}
		if v, err = e.own(in, c, noInactive); err != nil || v == NotMember {
			return v, err
		}
	} else if len(in.sets) == 0 {
		return NotMember, nil
	}
	for _, url := range in.sets {
		other, err := e.set(url)
		if err != nil {
			return Unknown, err
		}
		got := Unknown
		if other != nil {
			if got, err = e.member(other, c, anySystem); err != nil {
				return Unknown, err
			}
		}
		if got == NotMember {
			return NotMember, nil
		}
		v = min(v, got) // Unknown before Member
	}
	return v, nil
}

// own asks the system part of a clause.
func (e *evaluation) own(in *clause, c Code, noInactive bool) (Verdict, error) {
	listed := len(in.codes) > 0
	if listed && !noInactive {
		if _, ok := in.index[c.Code]; ok && sameVersion(in.version, c.Version) {
			return Member, nil
		}
	}
	sys, err := e.system(in.system, in.version)
	if err != nil {
		return Unknown, err
	}
	if listed {
		return in.list(sys, c, noInactive), nil
	}
	if sys == nil || !sameVersion(sys.version, c.Version) {
		return Unknown, nil
	}
	if sys.grammar != nil {
		return in.ruled(sys, c.Code), nil
	}
	i, ok := sys.find(c.Code)
	switch {
	case !ok && sys.whole():
		return NotMember, nil
	case !ok:
		return Unknown, nil
	case noInactive && sys.concepts[i].inactive:
		return NotMember, nil
	}
	v := Member
	for _, f := range in.filters {
		switch f.holds(sys, i) {
		case NotMember:
			return NotMember, nil
		case Unknown:
			v = Unknown
		}
	}
	return v, nil
}

// list asks a list of codes, whose system tells only whether case matters and what is inactive.
func (in *clause) list(sys *codeSystem, c Code, noInactive bool) Verdict {
	_, ok := in.index[c.Code]
	if !ok && sys != nil && sys.folded {
		ok = slices.ContainsFunc(in.codes, func(l listed) bool { return strings.EqualFold(l.code, c.Code) })
	}
	if !ok || !sameVersion(in.version, c.Version) {
		return NotMember
	}
	if noInactive && sys != nil {
		if i, found := sys.find(c.Code); found && sys.concepts[i].inactive {
			return NotMember
		}
	}
	return Member
}

// ruled asks a system that has a grammar.
func (in *clause) ruled(sys *codeSystem, code string) Verdict {
	if !sys.grammar.valid(code) {
		return NotMember
	}
	g, isUCUM := sys.grammar.(units)
	for _, f := range in.filters {
		ok, known := false, false
		switch {
		case isUCUM && f.op == "=" && f.property == "comparable":
			ok, known = g.comparable(code, f.value)
		case isUCUM && f.op == "=" && f.property == "canonical":
			var base string
			base, known = g.canonical(code)
			ok = base == f.value
		case f.op == "regex" && f.property == "code" && f.pattern != nil:
			ok, known = f.pattern.MatchString(code), true
		}
		switch {
		case !known:
			return Unknown
		case !ok:
			return NotMember
		}
	}
	return Member
}
