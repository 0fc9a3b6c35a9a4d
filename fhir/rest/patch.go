package rest

import (
	"bytes"
	"cmp"
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
func (s *Server) planPatch(ctx context.Context, q *Request, k store.Key) (*act, error) {
	with, err := patcherOf(q)
	if err != nil {
		return nil, err
	}
	match, err := ifMatch(q.Header)
	if err != nil {
		return nil, err
	}
	before := s.tried(ctx, q, with, func(context.Context, *turn) (store.Key, error) { return k, nil })
	return &act{writes: true, action: "patch", run: func(ctx context.Context, t *turn) (*Response, error) {
		f, version, err := t.patched(ctx, q, k, with, match, nil, before)
		if err != nil {
			return nil, err
		}
		r, err := t.put(ctx, f, version, false)
		return written(r, http.StatusOK, f), err
	}}, nil
}

// prior is what was prepared before a transaction began, good for one text.
type prior struct {
	src  []byte
	made *fresh
}

// silent is a View for the server itself before the transaction that counts:
// who asks is told nothing by it, and what goes wrong there does so again.
func (s *Server) silent(ctx context.Context, q *Request, f func(context.Context, *turn) error) (done bool) {
	a := q.Access
	a.Silent = true
	err := s.c.Store.View(ctx, a, func(r store.Reader) error {
		done = f(ctx, s.turn(q, r, nil)) == nil
		return nil
	})
	return done && err == nil
}

// tried carries out a patch before the transaction begins, so that the writer
// neither checks nor looks definitions up; nil when that can't be done.
func (s *Server) tried(ctx context.Context, q *Request, with patcher, which func(context.Context, *turn) (store.Key, error)) *prior {
	var r *store.Resource
	if !s.silent(ctx, q, func(ctx context.Context, t *turn) error {
		k, err := which(ctx, t)
		if err == nil {
			r, err = t.r.Read(ctx, k)
		}
		return err
	}) {
		return nil
	}
	return s.triedOn(ctx, q, r, with, nil)
}

func (s *Server) triedOn(ctx context.Context, q *Request, r *store.Resource, with patcher, change func(link) (string, bool)) *prior {
	doc, src, changes, refs, err := patchText(q, r, with, change)
	if err != nil {
		return nil
	}
	f, err := s.readyText(ctx, q, r.Key, doc, src, changes, refs)
	if err != nil {
		return nil
	}
	return &prior{src, f}
}

// patchText gives what a patch makes of a resource, and the text of that with its links changed.
func patchText(q *Request, r *store.Resource, with patcher, change func(link) (string, bool)) (doc *r4.Doc, src []byte, changes bool, refs []named, err error) {
	if doc, err = r4.Parse(r.Body); err != nil {
		return nil, nil, false, nil, err
	}
	if src, err = with(doc); err != nil {
		return nil, nil, false, nil, err
	}
	if doc, err = r4.Parse(src); err != nil {
		return nil, nil, false, nil, err
	}
	src, changes, refs = rewrite(doc, linksOf(doc), toward(q.Base, change))
	return doc, src, changes, refs, nil
}

// patched reads a resource and gives what the patch makes of it, with the version that it was made of.
func (t *turn) patched(ctx context.Context, q *Request, k store.Key, with patcher, match int, change func(link) (string, bool), before *prior) (*fresh, int, error) {
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
	doc, src, changes, refs, err := patchText(q, r, with, change)
	if err != nil {
		return nil, 0, err
	}
	if before != nil && before.made.Draft.Key == k && bytes.Equal(before.src, src) {
		return before.made, r.Version, nil
	}
	f, err := t.s.readyText(ctx, q, k, doc, src, changes, refs)
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
	before := s.tried(ctx, q, with, func(ctx context.Context, t *turn) (store.Key, error) {
		there, err := t.one(ctx, when)
		if err != nil || there == nil {
			return store.Key{}, cmp.Or(err, error(errNone))
		}
		return there.Key, nil
	})
	return &act{writes: true, action: "patch", run: func(ctx context.Context, t *turn) (*Response, error) {
		there, err := t.claim(ctx, when)
		if err != nil {
			return nil, err
		}
		if there == nil {
			return nil, errNone
		}
		f, version, err := t.patched(ctx, q, there.Key, with, match, nil, before)
		if err != nil {
			return nil, err
		}
		r, err := t.put(ctx, f, version, false)
		return written(r, http.StatusOK, f), err
	}}, nil
}

var errNone = fail(outcome.NotFound, "none", "Không có tài nguyên nào khớp điều kiện.", "Nothing matches the condition.")
