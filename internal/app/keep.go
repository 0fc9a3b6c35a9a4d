package app

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/room/exchange"
	"github.com/ytso/ytso/internal/trust"
)

// batch is how many resources share a transaction.
const batch = 200

// Keep is described at operator. A Patient is matched with its person in the
// transaction that writes it, as one that comes with a claim.
func (n *Node) Keep(ctx context.Context, p parcel) (k kept, err error) {
	defer outcome.Wrap(&err, "import")
	a, err := trust.System(trust.JobImport)
	if err != nil {
		return k, err
	}
	entries, err := exchange.Entries(p.Body)
	if err != nil {
		return k, err
	}
	t, err := n.exchange.Take(ctx, a, p.Facility, entries)
	for i := range t.Faults {
		t.Faults[i].Place += p.Lines
	}
	return kept{t.Written, t.Unchanged, t.Faults}, err
}
