package validate

import (
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/ucum"
)

// coded checks a code against its own system, where that is at hand: that it
// exists there, and that its display is one that the system gives it (FHIR R4
// terminologies.html#displays: a warning).
func (c *check) coded(e elem) {
	system, code := e.v.Get("system").Text(), e.v.Get("code").Text()
	if system == "" || code == "" {
		return
	}
	if system == unitsOfMeasure {
		c.unit(e, code)
		return
	}
	if c.v.terms == nil || c.trial > 0 || e.typ != "Coding" {
		return
	}
	at := elem{v: e.v.Get("code"), at: &step{e.at, "code", "", -1}, in: e.in}
	switch k := c.known(term.Code{System: system, Version: e.v.Get("version").Text(), Code: code, Display: e.v.Get("display").Text()}); {
	case k == noSuchCode:
		f := fault{kind: outcome.Value, key: "code-unknown", vi: "Hệ mã " + system + " không có mã này.", en: "The code system " + system + " has no such code."}
		if !strings.HasPrefix(system, "http://hl7.org/fhir/") { // those of R4 itself are whole for good; others grow, and ours may be old
			f.severity = Warning
		}
		c.add(at, f)
	case k == otherWords:
		at.v, at.at.name = e.v.Get("display"), "display"
		c.warnf(at, outcome.Value, "display", "display không phải tên mà hệ mã %[1]s đặt cho mã này.", "display is not a name that the code system %[1]s gives this code.", system)
	}
}

// unit: a code of UCUM is one (FHIR R4 ucum.html). Twenty of the official
// examples break this, so it is told and not refused; a binding refuses.
func (c *check) unit(e elem, code string) {
	if _, err := ucum.Parse(code); err == nil {
		return
	}
	at := elem{v: e.v.Get("code"), at: &step{e.at, "code", "", -1}, in: e.in}
	c.warnf(at, outcome.Value, "unit", "Mã đơn vị không đúng UCUM.", "The unit is no code of UCUM.")
}

// knowledge is what a code system says of a code.
type knowledge uint8

const (
	fine knowledge = iota // or not at hand
	noSuchCode
	otherWords
)

// codeCache keeps what systems said; it is bounded and starts afresh when full.
type codeCache struct {
	mu   sync.Mutex
	said map[term.Code]knowledge
}

const maxCodes = 8192

func (k *codeCache) get(c term.Code) (knowledge, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.said[c]
	return v, ok
}

func (k *codeCache) put(c term.Code, v knowledge) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.said == nil || len(k.said) >= maxCodes {
		k.said = map[term.Code]knowledge{}
	}
	k.said[c] = v
}

func (k *codeCache) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.said = nil
}

func (c *check) known(code term.Code) knowledge {
	if k, ok := c.v.codes.get(code); ok {
		return k
	}
	k := fine
	concept, err := c.v.terms.Lookup(c.ctx, code, term.At{})
	switch {
	case err != nil && c.ctx.Err() != nil:
		c.err = c.ctx.Err()
		return fine
	case err != nil:
		switch e := outcome.As(err); {
		case e.Key == "term.no-code":
			k = noSuchCode
		case e.Kind == outcome.Exception:
			c.err = err
			return fine
		}
	case code.Display != "" && !named(concept, code.Display):
		k = otherWords
	}
	c.v.codes.put(code, k)
	return k
}

func named(k *term.Concept, display string) bool {
	same := func(s string) bool {
		return strings.EqualFold(strings.Join(strings.Fields(s), " "), strings.Join(strings.Fields(display), " "))
	}
	if same(k.Display) || k.Display == k.Code.Code {
		return true
	}
	for _, d := range k.Designations {
		if same(d.Value) {
			return true
		}
	}
	return false
}
