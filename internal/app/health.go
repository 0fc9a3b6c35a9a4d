package app

import (
	"io"
	"net/http"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/internal/platform/httpx"
)

// ownRoutes are those that belong to no room.
func (n *Node) ownRoutes() []httpx.Route {
	return []httpx.Route{
		{Pattern: "GET /healthz", Who: httpx.Open, Handler: alive},
		{Pattern: "GET /readyz", Who: httpx.Open, Handler: n.ready},
		{Pattern: "GET /fhir/metadata", Who: httpx.Open, Handler: n.metadata},
	}
}

// alive says that the process answers.
func alive(w http.ResponseWriter, _ *http.Request) error { return plain(w, "ok\n") }

// ready says that the store answers as well.
func (n *Node) ready(w http.ResponseWriter, r *http.Request) error {
	if err := n.Ready(r.Context()); err != nil {
		return err
	}
	return plain(w, "ready\n")
}

func plain(w http.ResponseWriter, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, text) // who asked may have gone
	return nil
}

// metadata is the CapabilityStatement (FHIR R4 http.html#capabilities). It
// promises what is there: no REST interaction on resources yet.
func (n *Node) metadata(w http.ResponseWriter, _ *http.Request) error {
	o := r4.Object{
		{Name: "resourceType", Value: "CapabilityStatement"},
		{Name: "status", Value: "active"},
		{Name: "date", Value: n.started.Format("2006-01-02T15:04:05Z07:00")},
		{Name: "kind", Value: "instance"},
		{Name: "software", Value: r4.Object{{Name: "name", Value: "ytso"}}},
		{Name: "implementation", Value: r4.Object{{Name: "description", Value: "Mạng y tế số của tỉnh (a province's health network)"}}},
		{Name: "fhirVersion", Value: "4.0.1"},
		{Name: "format", Value: []string{"application/fhir+json"}},
		{Name: "rest", Value: []r4.Object{{
			{Name: "mode", Value: "server"},
			{Name: "documentation", Value: "No interaction on resources is served here yet; records come in as claim files and are shown as pages."},
		}}},
	}
	w.Header().Set("Content-Type", "application/fhir+json; charset=utf-8")
	_, _ = w.Write(o.JSON()) // who asked may have gone
	return nil
}
