package validate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// maxWork bounds what profiles may ask of one document: elements held against
// rules. A hostile profile then ends in an error of its own, not in hours.
const maxWork = 2_000_000

// maxTime bounds what the rules of profiles may take of one document.
const maxTime = 20 * time.Second

var errCostly = outcome.New(outcome.TooCostly, "validate.costly", "Việc kiểm tra theo hồ sơ (profile) tốn quá nhiều công.", "Checking against the profiles takes too much work.")

// check is one call of Check.
type check struct {
	v        *Validator
	ctx      context.Context
	o        Options
	issues   []Issue
	said     map[saying]bool
	trial    int // > 0: issues only count
	faults   int // errors counted while trying
	work     int
	seen     int
	now      time.Time
	began    time.Time
	err      error // of ctx or a Source: everything after it is empty
	deep     int
	strict   bool             // what is asked for must be at hand
	lacking  bool             // a profile that another one names was not
	under    map[holding]bool // what is being held against a profile
	held     map[holding]bool // what was: whether it conforms
	told     map[holding]bool // what was held and told of
	circled  bool             // something was taken for granted because it is being held already
	bufs     [][]elem
	fetched  map[string]*r4.Doc
	missing  map[string]bool // what was told not to be at hand
	resolved bool            // an expression asked for what is not at hand
}

type saying struct{ expression, key, en string }

type holding struct {
	n r4.Node
	p *profile
}

// alive says whether the call is still wanted.
func (c *check) alive() bool {
	c.seen++
	if c.err == nil && c.seen&255 == 0 {
		c.err = c.ctx.Err()
	}
	return c.err == nil
}

// tick counts the work of profiles; false: the call is over.
func (c *check) tick() bool {
	if !c.alive() {
		return false
	}
	c.work++
	if c.work > maxWork {
		c.err = errCostly
		return false
	}
	return true
}

// full says that no further issue is kept.
func (c *check) full() bool { return len(c.issues) >= MaxIssues || c.err != nil }

// add records an issue about an element; what was said already isn't said again.
func (c *check) add(e elem, f fault) {
	if f.severity == "" {
		f.severity = Error
	}
	if c.trial > 0 {
		if f.severity == Error {
			c.faults++
		}
		return
	}
	if c.full() {
		return
	}
	i := Issue{Severity: f.severity, Code: f.kind, Expression: e.at.expression(), VI: f.vi, EN: f.en, Key: "validate." + f.key}
	k := saying{i.Expression, i.Key, i.EN}
	if c.said[k] {
		return
	}
	c.say(k)
	n := e.v
	if !n.Exists() {
		n = e.beside
	}
	i.Line, i.Column = n.Place()
	c.issues = append(c.issues, i)
}

func (c *check) say(k saying) {
	if c.said == nil {
		c.said = map[saying]bool{}
		for _, i := range c.issues {
			c.said[saying{i.Expression, i.Key, i.EN}] = true
		}
	}
	c.said[k] = true
}

// first says whether what is not at hand is met for the first time in the document.
func (c *check) first(what string) bool {
	if c.missing[what] || c.trial > 0 || len(c.missing) > MaxIssues {
		return false
	}
	if c.missing == nil {
		c.missing = map[string]bool{}
	}
	c.missing[what] = true
	return true
}

// errorf records an error with one text made of the same parts in both languages.
func (c *check) errorf(e elem, kind outcome.Kind, key, vi, en string, args ...any) {
	c.add(e, fault{kind: kind, key: key, vi: fmt.Sprintf(vi, args...), en: fmt.Sprintf(en, args...)})
}

// warnf is errorf for what refuses nothing.
func (c *check) warnf(e elem, kind outcome.Kind, key, vi, en string, args ...any) {
	c.add(e, fault{severity: Warning, kind: kind, key: key, vi: fmt.Sprintf(vi, args...), en: fmt.Sprintf(en, args...)})
}

// try runs f without recording anything and says whether it found no error.
func (c *check) try(f func()) bool {
	faults := c.faults
	c.faults = 0
	c.trial++
	f()
	c.trial--
	good := c.faults == 0
	c.faults = faults
	return good
}

// children expands an element into a buffer that is given back by free.
func (c *check) children(e elem) []elem {
	var b []elem
	if n := len(c.bufs); n > 0 {
		b, c.bufs = c.bufs[n-1][:0], c.bufs[:n-1]
	}
	return expand(e, b)
}

func (c *check) free(b []elem) {
	if cap(b) > 0 && cap(b) < 4096 {
		c.bufs = append(c.bufs, b)
	}
}

// env is what an expression about e may ask.
func (c *check) env(e elem, in *scope) *fhirpath.Env {
	env := &fhirpath.Env{Now: c.now, Filters: true, Lenient: true, Resource: in.res.item(), Root: in.holder.res.item()}
	env.Resolve = func(_ context.Context, ref string) (*r4.Doc, error) {
		d := c.fetch(ref)
		c.resolved = c.resolved || d == nil
		return d, c.err
	}
	env.MemberOf = func(_ context.Context, set string, i fhirpath.Item) (bool, error) { return c.memberOf(set, i) }
	env.Conforms = func(_ context.Context, url string, i fhirpath.Item) (bool, error) { return c.conformsTo(e, url, i) }
	return env
}

// errOpen says that an expression can't be answered with what is at hand.
var errOpen = errors.New("not at hand")

// walk visits an element and what is below it.
func (c *check) walk(e elem) {
	if !c.alive() || c.deep > r4.MaxDepth+2 {
		return
	}
	c.deep++
	defer func() { c.deep-- }()
	c.visit(e)
	if c.full() {
		return
	}
	if e.shape == nil && e.beside.Kind() != r4.Map {
		return
	}
	kids := c.children(e)
	for i := range kids {
		if kids[i].shape == nil && kids[i].beside.Kind() != r4.Map {
			c.visit(kids[i])
			continue
		}
		c.walk(kids[i])
	}
	c.free(kids)
}

// visit asks of one element what the base definitions and the text of the specification want.
func (c *check) visit(e elem) {
	c.invariants(e)
	switch e.typ {
	case "Extension":
		c.extension(e)
	case "Reference":
		c.reference(e)
	}
	if e.slot == nil || e.shape != nil && e.shape.Resource {
		c.resource(e)
	}
	c.local(e)
}

// resource checks what a whole resource must keep.
func (c *check) resource(e elem) {
	if !e.in.contained {
		c.contained(e)
	}
	if c.o.VitalSigns && e.typ == "Observation" {
		c.vitalSign(e)
	}
	list := e.v.Get("meta").Get("profile")
	i := 0
	for p := range list.Elems() {
		at := elem{v: p, typ: "canonical", at: &step{&step{e.at, "meta", "", -1}, "profile", "", i}, in: e.in}
		if url := p.Text(); url != "" && p.Kind() == r4.String {
			c.claimed(e, at, url)
		}
		i++
	}
}

// claimed checks a profile that the resource says it keeps.
func (c *check) claimed(e, at elem, url string) {
	p := c.profile(url)
	switch {
	case c.err != nil:
	case p == nil:
		if c.v.source != nil && c.first("profile "+url) {
			c.warnf(at, outcome.NotFound, "profile-unknown", "Không có định nghĩa của hồ sơ này, nên không kiểm tra được theo hồ sơ.",
				"The definition of this profile is not at hand, so it was not checked.")
		}
	default:
		c.conform(e, p)
	}
}

// wanted checks a profile that the caller asks for: one that is not at hand is an error.
func (c *check) wanted(e elem, url string) {
	p := c.profile(url)
	switch {
	case c.err != nil:
	case p == nil:
		c.errorf(e, outcome.NotFound, "profile-unknown", "Không có định nghĩa của hồ sơ %[1]s.", "The definition of the profile %[1]s is not at hand.", url)
	default:
		if c.strict = true; c.lacking {
			c.told = nil // what was only warned of is an error now
		}
		c.conform(e, p)
		c.strict = false
	}
}

// vitalSigns are the profiles that LOINC codes ask for (FHIR R4 observation-vitalsigns.html, table of magic values).
var vitalSigns = map[string]string{
	"85353-1": "vitalspanel", "9279-1": "resprate", "8867-4": "heartrate", "2708-6": "oxygensat", "8310-5": "bodytemp",
	"8302-2": "bodyheight", "9843-4": "headcircum", "29463-7": "bodyweight", "39156-5": "bmi", "85354-9": "bp",
}

func (c *check) vitalSign(e elem) {
	for x := range e.v.Get("code").Get("coding").Elems() {
		name := vitalSigns[x.Get("code").Text()]
		if name == "" || x.Get("system").Text() != "http://loinc.org" {
			continue
		}
		if p := c.profile(structures + name); p != nil {
			c.conform(e, p)
		}
	}
}
