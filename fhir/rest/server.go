package rest

import "net/http"

// Server answers the API.
type Server struct{ c Config }

// New makes a server.
func New(c Config) *Server { return &Server{c: c} }

// Handler answers one HTTP request below the base; the path has no "/fhir" any more.
func (s *Server) Handler(w http.ResponseWriter, r *http.Request) error { return nil }
