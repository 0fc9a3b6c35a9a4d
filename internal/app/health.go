package app

import (
	"io"
	"net/http"

	"github.com/ytso/ytso/internal/platform/httpx"
)

// ownRoutes are those that belong to no room.
func (n *Node) ownRoutes() []httpx.Route {
	return []httpx.Route{
		{Pattern: "GET /healthz", Who: httpx.Open, Handler: alive},
		{Pattern: "GET /readyz", Who: httpx.Open, Handler: n.ready},
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
