package trust

import (
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

// TestEveryTypeHasAClass: the policy knows each resource type of R4, and no
// type that does not exist; a type is about a person exactly when the official
// patient compartment says so, or it is listed here with the reason.
func TestEveryTypeHasAClass(t *testing.T) {
	all := map[string]bool{}
	for _, name := range r4.ResourceTypes() {
		all[name] = true
		if classes[name] == 0 {
			t.Errorf("%s has no class: it is refused to everybody", name)
		}
		if len(r4.PatientCompartment(name)) > 0 && classes[name] != aboutPerson && classes[name] != machinery && classes[name] != journal && name != "Schedule" {
			t.Errorf("%s is in the compartment of a patient, but class %d", name, classes[name]) // Schedule: of the place or person who is booked
		}
	}
	for name := range classes {
		if !all[name] {
			t.Errorf("%s is no resource type of R4", name)
		}
	}
}
