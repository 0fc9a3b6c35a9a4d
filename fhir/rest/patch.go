package rest

import (
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// patchTypes are the patch formats by media type (FHIR R4 http.html#patch).
var patchTypes = map[string]string{}

func patchFormats() []string { return nil }

var errPatch = fail(outcome.NotSupported, "patch", "Máy chủ chưa nhận PATCH.", "The server does not take PATCH.")

func (s *Server) planPatch(q *Request, k store.Key) (*act, error) { return nil, errPatch }

func (s *Server) planConditionalPatch(q *Request, typ string) (*act, error) { return nil, errPatch }
