package rest

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/patch"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// patchTypes are the patch languages by media type, besides FHIRPath Patch,
// which is a Parameters resource (FHIR R4 http.html#patch).
var patchTypes = map[string]string{"application/json-patch+json": "json", "application/xml-patch+xml": "xml"}

// patchFormats are what a CapabilityStatement names as patchFormat.
func patchFormats() []string {
	return []string{"application/json-patch+json", "application/xml-patch+xml", "application/fhir+json", "application/fhir+xml"}
}

// patcher makes the new text of a resource.
type patcher func(*r4.Doc) ([]byte, error)

var errPatchType = status(http.StatusUnsupportedMediaType, fail(outcome.NotSupported, "patch-type",
	"PATCH nhận JSON Patch (application/json-patch+json), XML Patch (application/xml-patch+xml) hoặc FHIRPath Patch (tài nguyên Parameters).",
	"PATCH takes JSON Patch (application/json-patch+json), XML Patch (application/xml-patch+xml) or FHIRPath Patch (a Parameters resource)."),
	"Accept-Patch", "application/json-patch+json, application/xml-patch+xml, application/fhir+json, application/fhir+xml")

// patcherOf reads the patch of a request; inside a Bundle JSON and XML Patch come in a Binary.
func patcherOf(q *Request) (patcher, error) {
	if q.Doc == nil {
		media, _ := mediaType(q.Header.Get("Content-Type"))
		return patcherIn(patchTypes[media], q.Body)
	}
	switch q.Doc.Type() {
	case "Parameters":
		return func(doc *r4.Doc) ([]byte, error) { return patch.FHIRPath(doc, q.Doc) }, nil
	case "Binary":
		if !q.Inner {
			break
		}
		media, _ := mediaType(q.Doc.Root().Get("contentType").Text())
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(q.Doc.Root().Get("data").Text()), ""))
		if err != nil {
			return nil, fail(outcome.Invalid, "base64", "Nội dung Binary không phải base64.", "The Binary's data is no base64.")
		}
		return patcherIn(patchTypes[media], data)
	}
	return nil, errPatchType
}

func patcherIn(language string, body []byte) (patcher, error) {
	switch language {
	case "json":
		return func(doc *r4.Doc) ([]byte, error) { return patch.JSON(doc, body) }, nil
	case "xml":
		return func(doc *r4.Doc) ([]byte, error) { return patch.XML(doc, body) }, nil
	}
	return nil, errPatchType
}

// planPatch is FHIR R4 http.html#patch.
func (s *Server) planPatch(q *Request, k store.Key) (*act, error) {
	with, err := patcherOf(q)
	if err != nil {
		return nil, err
	}
	match, err := ifMatch(q.Header)
	if err != nil {
		return nil, err
	}
	return &act{writes: true, action: "patch", run: func(ctx context.Context, t *turn) (*Response, error) {
		f, version, err := t.patched(ctx, q, k, with, match, nil)
		if err != nil {
			return nil, err
		}
		r, err := t.put(ctx, f, version, false)
		return written(r, http.StatusOK, f), err
	}}, nil
}

// patched reads a resource and gives what the patch makes of it, with the version that it was made of.
func (t *turn) patched(ctx context.Context, q *Request, k store.Key, with patcher, match int, change func(link) (string, bool)) (*fresh, int, error) {
	r, err := t.r.Read(ctx, k)
	if err != nil {
		if outcome.KindOf(err) == outcome.Deleted {
			err = t.gone(ctx, k, err)
		}
		return nil, 0, err
	}
	if match > 0 && match != r.Version {
		return nil, 0, errStale
	}
	doc, err := r4.Parse(r.Body)
	if err != nil {
		return nil, 0, err
	}
	src, err := with(doc)
	if err != nil {
		return nil, 0, err
	}
	if doc, err = r4.Parse(src); err != nil {
		return nil, 0, err
	}
	f, err := t.s.readyWith(ctx, q, k, doc, change)
	return f, r.Version, err
}

var errStale = fail(outcome.Stale, "stale", "Hồ sơ đã được người khác sửa. Hãy tải lại rồi sửa tiếp.", "Somebody else has changed the record. Reload it and try again.")

// planConditionalPatch is a patch of the one resource that matches (FHIR R4 http.html#patch).
func (s *Server) planConditionalPatch(ctx context.Context, q *Request, typ string) (*act, error) {
	with, err := patcherOf(q)
	if err != nil {
		return nil, err
	}
	when, err := s.criteriaOf(ctx, q.Base, typ, q.Query)
	if err != nil {
		return nil, err
	}
	match, err := ifMatch(q.Header)
	if err != nil {
		return nil, err
	}
	return &act{writes: true, action: "patch", run: func(ctx context.Context, t *turn) (*Response, error) {
		there, err := t.claim(ctx, when)
		if err != nil {
			return nil, err
		}
		if there == nil {
			return nil, errNone
		}
		f, version, err := t.patched(ctx, q, there.Key, with, match, nil)
		if err != nil {
			return nil, err
		}
		r, err := t.put(ctx, f, version, false)
		return written(r, http.StatusOK, f), err
	}}, nil
}

var errNone = fail(outcome.NotFound, "none", "Không có tài nguyên nào khớp điều kiện.", "Nothing matches the condition.")
