package trust

import (
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// Scope is one SMART scope of a backend service: system/<type>.<acts>
// (SMART App Launch 2.2, scopes-and-launch-context.html).
type Scope struct {
	Type string // resource type or "*"
	Acts store.Acts
}

var errScope = outcome.New(outcome.Value, "trust.scope",
	"Phạm vi truy cập (scope) phải có dạng system/<loại>.<cruds>, ví dụ system/Patient.rs.",
	"A scope must read system/<type>.<cruds>, for example system/Patient.rs.")

// ParseScopes reads scopes separated by blanks. Contexts "patient/" and
// "user/" belong to the authorisation server and are refused here, as are
// search parameters behind "?": a scope that is not honoured exactly is an error.
func ParseScopes(text string) ([]Scope, error) {
	var list []Scope
	for _, word := range strings.Fields(text) {
		s, err := parseScope(word)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return nil, errScope
	}
	return list, nil
}

func parseScope(word string) (Scope, error) {
	rest, ok := strings.CutPrefix(word, "system/")
	typ, letters, dotted := strings.Cut(rest, ".")
	if !ok || !dotted {
		return Scope{}, errScope
	}
	if _, known := classes[typ]; !known && typ != "*" {
		return Scope{}, errScope
	}
	acts, ok := scopeActs(letters)
	if !ok {
		return Scope{}, errScope
	}
	return Scope{typ, acts}, nil
}

// scopeActs reads "cruds", any part of it in that order, or the words of SMART 1.
func scopeActs(letters string) (store.Acts, bool) {
	switch letters {
	case "read":
		letters = "rs"
	case "write":
		letters = "cud"
	case "*":
		letters = "cruds"
	}
	const order = "cruds"
	grants := [...]store.Acts{store.CanCreate, store.CanRead | store.CanHistory, store.CanUpdate, store.CanDelete, store.CanSearch}
	var acts store.Acts
	last := -1
	for _, c := range letters {
		i := strings.IndexRune(order, c)
		if i <= last {
			return 0, false
		}
		last, acts = i, acts|grants[i]
	}
	return acts, acts != 0
}

func actsOf(scopes []Scope, typ string) (acts store.Acts) {
	for _, s := range scopes {
		if s.Type == "*" || s.Type == typ {
			acts |= s.Acts
		}
	}
	return acts
}
