// Package term is the terminology service: code systems, value sets and concept
// maps that a canon.Source finds, and what can be asked of them.
//
// Source: FHIR R4 terminology-service.html, codesystem.html, valueset.html, conceptmap.html.
package term

import (
	"context"

	"github.com/ytso/ytso/fhir/canon"
)

// Service answers questions about codes.
type Service struct{ source canon.Source }

// New makes a service over definitions.
func New(s canon.Source) *Service { return &Service{source: s} }

// Code is one code of a system.
type Code struct{ System, Version, Code, Display string }

// Verdict is what is known of a code and a value set.
type Verdict uint8

// Verdicts. Unknown: the set or a code system that it needs is not at hand, so
// nothing may be concluded.
const (
	Unknown Verdict = iota
	Member
	NotMember
)

// Member says whether a code is in a value set; valueSet may carry "|version".
// A System of "" matches a code of any system of the set only when anySystem.
func (s *Service) Member(ctx context.Context, valueSet string, c Code, anySystem bool) (Verdict, error) {
	return Unknown, nil
}
