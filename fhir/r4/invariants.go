package r4

import "strings"

// Invariant is a rule about an element and what is below it (FHIR R4 conformance-rules.html#constraints).
type Invariant struct {
	Key        string // "obs-6"
	Severity   string // "error" or "warning"
	Expression string // FHIRPath, true or empty when the rule is kept
	Human      string // the rule in English
}

// InvariantsAt lists the rules that stand at a path of a base type ("Period",
// "Observation", "Questionnaire.item"). ele-1 and ext-1 stand at "Element" and
// "Extension" only, and dom-2 to dom-6 at "DomainResource" only, though they
// hold of whatever derives from these.
func InvariantsAt(path string) []*Invariant { return official().invariants()[path] }

func readInvariants(table string) map[string][]*Invariant {
	out := map[string][]*Invariant{}
	for line := range strings.SplitSeq(strings.TrimSuffix(table, "\n"), "\n") {
		col := strings.Split(line, "\t")
		i := &Invariant{col[0], col[1], col[2], col[3]}
		for path := range strings.FieldsSeq(col[4]) {
			out[path] = append(out[path], i)
		}
	}
	return out
}
