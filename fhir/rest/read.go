package rest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// planRead is FHIR R4 http.html#read.
func (s *Server) planRead(q *Request, k store.Key) (*act, error) {
	view, err := viewOf(q.Query)
	if err != nil {
		return nil, err
	}
	return &act{action: "read", run: func(ctx context.Context, t *turn) (*Response, error) {
		r, err := t.r.Read(ctx, k)
		if outcome.KindOf(err) == outcome.Deleted {
			return nil, t.gone(ctx, k, err)
		}
		if err != nil {
			return nil, err
		}
		return found(q, r, view)
	}}, nil
}

// gone adds the version that is the deletion to the error (FHIR R4 http.html#read: 410).
func (t *turn) gone(ctx context.Context, k store.Key, err error) error {
	if list, bad := t.r.History(ctx, k, store.HistoryPage{Count: 1}); bad == nil && len(list) == 1 {
		return status(http.StatusGone, err, "ETag", etag(list[0].Version), "Last-Modified", list[0].Updated.UTC().Format(http.TimeFormat))
	}
	return err
}

// planVersion is FHIR R4 http.html#vread.
func (s *Server) planVersion(q *Request, k store.Key, text string) (*act, error) {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		return nil, method("GET", "HEAD", "OPTIONS")
	}
	version, err := strconv.Atoi(text)
	if err != nil || version < 1 || strconv.Itoa(version) != text {
		return nil, fail(outcome.NotFound, "version", "Tài nguyên không có phiên bản này.", "The resource has no such version.")
	}
	view, err := viewOf(q.Query)
	if err != nil {
		return nil, err
	}
	return &act{action: "vread", run: func(ctx context.Context, t *turn) (*Response, error) {
		r, err := t.r.ReadVersion(ctx, k, version)
		if err != nil {
			if outcome.KindOf(err) == outcome.Deleted {
				err = status(http.StatusGone, err, "ETag", etag(version))
			}
			return nil, err
		}
		return found(q, r, view)
	}}, nil
}

// found answers a read: 304 when the caller has it already (FHIR R4 http.html#cread).
func found(q *Request, r *store.Resource, view view) (*Response, error) {
	resp := &Response{Status: http.StatusOK, Key: r.Key, Version: r.Version, LastModified: r.Updated}
	if unchanged(q.Header, r) {
		resp.Status = http.StatusNotModified
		return resp, nil
	}
	var err error
	resp.Resource, err = view.apply(r.Body)
	return resp, err
}

// unchanged says that the caller's copy is current. If-None-Match rules over If-Modified-Since (RFC 9110 §13.1.3).
func unchanged(h http.Header, r *store.Resource) bool {
	if tags := h.Get("If-None-Match"); tags != "" {
		for tag := range strings.SplitSeq(tags, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || versionOf(tag) == r.Version {
				return true
			}
		}
		return false
	}
	since, err := instant(h.Get("If-Modified-Since"))
	return err == nil && !r.Updated.Truncate(time.Second).After(since)
}

// instant reads the date of If-Modified-Since: of HTTP, or in a Bundle of FHIR (Bundle.entry.request.ifModifiedSince).
func instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, errors.New("none")
	}
	if t, err := http.ParseTime(text); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

// versionOf reads an entity tag, W/"3"; 0: it is none of ours. Tags without
// quotes are read as well: many clients send the bare version.
func versionOf(tag string) int {
	tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
	tag = strings.Trim(tag, `"`)
	n, err := strconv.Atoi(tag)
	if err != nil || n < 1 || strconv.Itoa(n) != tag {
		return 0
	}
	return n
}

var errIfMatch = fail(outcome.Invalid, "if-match",
	`If-Match phải có dạng W/"3", trong đó 3 là phiên bản đang sửa.`, `If-Match must be of the form W/"3", where 3 is the version that is being changed.`)

// anyVersion as the version of If-Match: "*", whatever is current, but something must be (RFC 9110 §13.1.1).
const anyVersion = -2

// demands says that a version must be there.
func demands(match int) bool { return match > 0 || match == anyVersion }

// ifMatch reads If-Match: the version that must be current, or anyVersion; 0:
// none was asked for (FHIR R4 http.html#concurrency).
func ifMatch(h http.Header) (int, error) {
	text := h.Get("If-Match")
	if text == "" {
		return 0, nil
	}
	if strings.TrimSpace(text) == "*" {
		return anyVersion, nil
	}
	n := versionOf(text)
	if n == 0 {
		return 0, errIfMatch
	}
	return n, nil
}
