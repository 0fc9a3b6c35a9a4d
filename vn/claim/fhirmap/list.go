package fhirmap

import "github.com/ytso/ytso/fhir/r4"

// list is a JSON array that is written as it grows. It is a value of an
// r4.Object by its method value.
type list struct {
	n    int
	json r4.Raw
}

func (l *list) next() {
	if l.n++; l.n == 1 {
		l.json = append(l.json, '[')
	} else {
		l.json = append(l.json, ',')
	}
}

func (l *list) add(o r4.Object) {
	l.next()
	l.json = o.AppendJSON(l.json)
}

// text adds an item that is JSON already.
func (l *list) text(parts ...string) {
	l.next()
	for _, p := range parts {
		l.json = append(l.json, p...)
	}
}

func (l *list) value() r4.Raw {
	if l.n == 0 {
		return nil
	}
	return append(l.json, ']')
}
