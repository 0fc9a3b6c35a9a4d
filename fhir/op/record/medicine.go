package record

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// medications: see sections.
func medications(s *summary) ([]*r4.Doc, error) {
	statements, err := s.read("MedicationStatement", nil)
	if err != nil {
		return nil, err
	}
	statements = keep(statements, maxRead, func(n r4.Node) bool {
		return slices.Contains([]string{"active", "intended", "on-hold", "unknown"}, n.Get("status").Text()) && s.knows(n)
	})
	requests, err := s.read("MedicationRequest", nil)
	if err != nil {
		return nil, err
	}
	var orders []*r4.Doc
	for _, d := range requests {
		if s.takes(d) && s.knows(d.Root()) {
			orders = append(orders, d)
		}
	}
	list := once(slices.Concat(statements, orders), s.medicine)
	return list[:min(len(list), maxShown)], nil
}

// takes says whether an order may still be in use.
func (s *summary) takes(d *r4.Doc) bool {
	n := d.Root()
	if n.Get("doNotPerform").Bool() || slices.Contains([]string{"proposal", "plan", "option"}, n.Get("intent").Text()) {
		return false
	}
	switch n.Get("status").Text() {
	case "active", "on-hold", "unknown":
		return true
	case "completed":
		return s.since(d, 0, 90)
	}
	return false
}

// knows says whether it is told which medicine it is.
func (s *summary) knows(n r4.Node) bool {
	ref := n.Get("medicationReference")
	return filled(s.medicine(n)) || ref.Get("display").Exists() && !strings.HasPrefix(ref.Get("reference").Text(), "#")
}

// medicine is the concept of the medicine of a statement or an order.
func (s *summary) medicine(n r4.Node) r4.Node {
	if c := n.Get("medicationCodeableConcept"); c.Exists() {
		return c
	}
	return s.referred(n, n.Get("medicationReference")).Get("code")
}

func immunizations(s *summary) ([]*r4.Doc, error) {
	list, err := s.read("Immunization", nil)
	return keep(list, 2*maxShown, func(n r4.Node) bool { return n.Get("status").Text() == "completed" }), err
}
