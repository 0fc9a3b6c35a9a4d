package check

import (
	"context"
	"net/http"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// reindex is $reindex, our own: POST starts the job or goes on with it. It is
// for whoever may change SearchParameters and is no change of the transaction
// that it is called in: the job has its own.
func (o *operations) reindex(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	if c.Method != http.MethodPost {
		return nil, outcome.New(outcome.NotSupported, "check.reindex-method", "$reindex chỉ gọi bằng POST.", "$reindex takes a POST only.")
	}
	if !c.Access.Filter.May("SearchParameter", store.CanUpdate) {
		return nil, outcome.New(outcome.Forbidden, "check.reindex", "Bạn không có quyền lập lại chỉ mục.", "You may not make the index anew.")
	}
	p, err := o.Reindexer.Reindex(ctx)
	if err != nil {
		return nil, err
	}
	list := []r4.Object{
		{{Name: "name", Value: "running"}, {Name: "valueBoolean", Value: p.Running}},
		{{Name: "name", Value: "done"}, {Name: "valueDecimal", Value: p.Done}},
	}
	if p.Total > 0 {
		list = append(list, r4.Object{{Name: "name", Value: "total"}, {Name: "valueDecimal", Value: p.Total}})
	}
	status := http.StatusOK
	if p.Running {
		status = http.StatusAccepted
	}
	return &rest.Response{Status: status, Resource: r4.Object{{Name: "resourceType", Value: "Parameters"}, {Name: "parameter", Value: list}}.JSON()}, nil
}
