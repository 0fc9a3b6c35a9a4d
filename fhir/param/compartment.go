package param

import (
	"slices"

	"github.com/ytso/ytso/fhir/r4"
)

// Compartment gives the resource types that can be in a compartment, and the
// parameters by which they are (FHIR R4 compartmentdefinition.html): of
// "Patient", "Encounter", "RelatedPerson", "Practitioner" or "Device"; nil for
// any other type. Where the type itself stands in it, the resource is in its own
// compartment, even without parameters. It must not be changed.
func Compartment(typ string) map[string][]string { return r4.Compartment(typ) }

// InCompartment says whether a resource (its type, its id, its values) is in the
// compartment of another, or of itself.
func InCompartment(of, id, typ, self string, values []Value) bool {
	member, ok := r4.Compartment(of)[typ]
	if ok && typ == of && self == id {
		return true
	}
	return slices.ContainsFunc(values, func(v Value) bool {
		return v.Kind == Reference && v.Type == of && v.ID == id && slices.Contains(member, v.Param)
	})
}
