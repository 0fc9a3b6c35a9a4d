package validate

import (
	"fmt"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// constraint is an invariant, compiled once.
type constraint struct {
	key, human string
	severity   Severity
	expression *fhirpath.Expression
	vi         string // "" : a sentence is made
	official   bool
}

// exempt are official invariants that are not asked, and why.
var exempt = map[string]string{
	"cid-0":  "ChargeItemDefinition has no element name",
	"ras-1":  "stands on a choice, but speaks of one of its types only",
	"que-12": "says more than two where it means more than one; answered in Go",
	"que-7":  "asks whether a FHIR.boolean is a System.Boolean, which it is not; answered in Go",
	"ele-1":  "Structure answers it", "ext-1": "Structure answers it", "txt-1": "Structure answers it", "txt-2": "Structure answers it",
	"ref-1": "Structure answers it", "dom-2": "Structure answers it",
	"dom-3": "answered in Go, where it costs nothing when nothing is contained", "dom-4": "as dom-3", "dom-5": "as dom-3",
	"dom-6": "advice, not a rule: most resources of a machine have no narrative",
}

// rulesAt are the invariants of a type or of an element of it.
func (v *Validator) rulesAt(path string) []*constraint {
	if r, ok := v.rules.Load(path); ok {
		return r.([]*constraint)
	}
	var out []*constraint
	for _, i := range r4.InvariantsAt(path) {
		if exempt[i.Key] != "" {
			continue
		}
		x, err := fhirpath.Compile(i.Expression)
		if err != nil {
			continue // fhirpath's TestInvariants: all compile
		}
		out = append(out, &constraint{key: i.Key, human: i.Human, severity: Severity(i.Severity), expression: x, vi: vietnamese[i.Key], official: true})
	}
	v.rules.Store(path, out)
	return out
}

// invariants asks those of the element's type and those that stand on the element itself.
func (c *check) invariants(e elem) {
	if e.shape != nil {
		if r := c.v.rulesAt(e.typ); len(r) > 0 {
			c.ask(e, e.in, r)
		}
	}
	if e.slot != nil && e.slot.Path != e.typ {
		if r := c.v.rulesAt(e.slot.Path); len(r) > 0 {
			c.ask(e, e.in, r)
		}
	}
}

// ask evaluates rules about e, which stand in the definition of the resource of in.
func (c *check) ask(e elem, in *scope, list []*constraint) {
	item, env := e.item(), (*fhirpath.Env)(nil)
	for _, r := range list {
		if answer, known := quick(r.key, e); known && r.official {
			if !answer {
				c.broken(e, r)
			}
			continue
		}
		if env == nil {
			env = c.env(e, in)
		}
		c.resolved = false
		out, err := r.expression.Run(c.ctx, item, env)
		if !r.official && time.Since(c.began) > maxTime {
			c.err = errCostly
			return
		}
		if err != nil {
			c.unanswered(e, r, err)
			continue
		}
		if ok, known := fhirpath.Truth(out); known && !ok {
			if c.resolved {
				c.notChecked(e, r)
				continue
			}
			c.broken(e, r)
		}
	}
}

func (c *check) unanswered(e elem, r *constraint, err error) {
	if c.ctx.Err() != nil {
		c.err = c.ctx.Err()
		return
	}
	if outcome.KindOf(err) == outcome.TooCostly {
		c.errorf(e, outcome.TooCostly, "costly", "Không tính được quy tắc %[1]s: tốn quá nhiều công.", "The rule %[1]s could not be evaluated: it takes too much work.", r.key)
		return
	}
	if c.err == nil {
		c.notChecked(e, r)
	}
}

func (c *check) notChecked(e elem, r *constraint) {
	c.warnf(e, outcome.NotSupported, "not-checked", "Không kiểm tra được quy tắc %[1]s vì thiếu thông tin.", "The rule %[1]s could not be checked: what it asks for is not at hand.", r.key)
}

// broken tells of a rule that is not kept.
func (c *check) broken(e elem, r *constraint) {
	vi := r.vi
	if vi == "" {
		vi = fmt.Sprintf("%s không theo quy tắc: %s", e.at.path(), r.human)
	}
	c.add(e, fault{severity: r.severity, kind: outcome.BusinessRule, key: "invariant", vi: sentence(vi, r.key), en: sentence(r.human, r.key)})
}

// sentence ends a text with the key of its rule.
func sentence(s, key string) string { return strings.TrimRight(s, ". ") + " (" + key + ")." }

// distinct says whether the items of a list, and of the lists below them, have
// different keys; an item without one is not looked at.
func distinct(in r4.Node, list, below string, key func(r4.Node) string) bool {
	seen := map[string]bool{}
	var down func(n r4.Node, list string) bool
	down = func(n r4.Node, list string) bool {
		for x := range n.Get(list).Elems() {
			if k := key(x); k != "" {
				if seen[k] {
					return false
				}
				seen[k] = true
			}
			if below != "" && !down(x, below) {
				return false
			}
		}
		return true
	}
	return down(in, list)
}

// quick answers the invariants that nearly every resource asks, in Go.
func quick(key string, e elem) (answer, known bool) {
	has := func(name string) bool { return e.v.Get(name).Exists() || besideOf(e.v, name).Exists() }
	switch key {
	case "qty-3": // code.empty() or system.exists()
		return !has("code") || has("system"), true
	case "cpt-2": // value.empty() or system.exists()
		return !has("value") || has("system"), true
	case "att-1": // data.empty() or contentType.exists()
		return !has("data") || has("contentType"), true
	case "per-1", "rng-2":
		if a, b := [2]string{"start", "low"}, [2]string{"end", "high"}; !has(a[0]) && !has(a[1]) || !has(b[0]) && !has(b[1]) {
			return true, true
		}
	case "csd-1": // the codes are unique: FHIRPath asks for more work than its bound in a large system
		return distinct(e.v, "concept", "concept", func(n r4.Node) string { return n.Get("code").Text() }), true
	case "bdl-7":
		return e.v.Get("type").Text() == "history" || distinct(e.v, "entry", "", func(n r4.Node) string {
			url := n.Get("fullUrl").Text()
			if url == "" {
				return ""
			}
			return url + " " + n.Get("resource").Get("meta").Get("versionId").Text()
		}), true
	case "obs-7": // value.empty() or component.code.where(...).empty()
		if !has("component") {
			return true, true
		}
	case "obs-6": // dataAbsentReason.empty() or value.empty()
		if !has("dataAbsentReason") {
			return true, true
		}
	}
	return false, false
}
