package app

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/room/claims"
	"github.com/ytso/ytso/internal/trust"
)

// Receive is described at operator.
func (n *Node) Receive(ctx context.Context, p parcel) (t taken, err error) {
	defer outcome.Wrap(&err, "import")
	a, err := trust.System(trust.JobImport)
	if err != nil {
		return t, err
	}
	if t.Known, err = n.claims.Known(ctx, a, p.Facility, p.Body); err != nil || t.Known {
		return t, err
	}
	rec, err := n.claims.Receive(ctx, a, claims.Upload{Facility: p.Facility, Door: "import", Name: p.Name, Sender: a.Agent.ID, Body: p.Body})
	t.Receipt = rec.ID
	return t, err
}

// Answer is described at operator.
func (n *Node) Answer(ctx context.Context, receipt string) (v verdict, err error) {
	defer outcome.Wrap(&err, "import")
	a, err := trust.System(trust.JobImport)
	if err != nil {
		return v, err
	}
	view, err := n.claims.Status(ctx, a, receipt, "")
	if err != nil {
		return v, err
	}
	v = verdict{
		Finished: view.Receipt.State != claims.Waiting, Refused: view.Receipt.State == claims.Refused,
		VI: view.Receipt.ErrorVI, EN: view.Receipt.ErrorEN, HOSO: map[claims.HOSOState]int{},
	}
	for _, h := range view.HOSO {
		v.HOSO[h.State]++
	}
	return v, nil
}
