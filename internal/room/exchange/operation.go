package exchange

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/rest"
)

var errNotHere = outcome.New(outcome.NotSupported, "exchange.not-in-bundle",
	"Thao tác này không chạy được bên trong một Bundle.", "This operation does not run inside a Bundle.")

// ownOperations names the room's operations for the CapabilityStatement. Over
// HTTP they have routes of their own (they answer 202, or stream), so that a
// call which gets here came inside of a Bundle.
func ownOperations() []rest.Operation {
	refuse := func(context.Context, *rest.Call) (*rest.Response, error) { return nil, errNotHere }
	const bulk, sub = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/", "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/"
	return []rest.Operation{
		{Name: "export", Definition: bulk + "export", System: true, Run: refuse},
		{Name: "export", Definition: bulk + "patient-export", Types: []string{"Patient"}, Type: true, Run: refuse},
		{Name: "export", Definition: bulk + "group-export", Types: []string{"Group"}, Instance: true, Run: refuse},
		{Name: "status", Definition: sub + "backport-subscription-status", Types: []string{"Subscription"}, Instance: true, Run: refuse},
		{Name: "events", Definition: sub + "backport-subscription-events", Types: []string{"Subscription"}, Instance: true, Run: refuse},
	}
}
