package rest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

const historyCount = 50

// span are the bounds that a history request asks for.
type span struct {
	since, at, atEnd time.Time
	count            int
	cursor           string
}

func spanOf(q url.Values) (p span, err error) {
	p.count = historyCount
	for name, values := range q {
		text := values[0]
		switch name {
		case "_since":
			if p.since, err = time.Parse(time.RFC3339Nano, text); err != nil {
				return p, badValue(name, "phải là thời điểm đầy đủ, ví dụ 2026-03-10T08:00:00+07:00", "must be a full instant such as 2026-03-10T08:00:00+07:00")
			}
		case "_at":
			lo, hi, ok := period(text)
			if !ok {
				return p, badValue(name, "phải là ngày hoặc thời điểm", "must be a date or an instant")
			}
			p.at, p.atEnd = lo, hi
		case "_count":
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return p, badValue(name, "phải là số nguyên không âm", "must be a whole number, 0 or more")
			}
			p.count = min(max(n, 1), param.MaxCount)
		case "_cursor":
			p.cursor = text
		case "_format", "_pretty", "_summary", "_elements":
		default:
			return p, badValue(name, "lịch sử không có tham số này", "is no parameter of a history")
		}
	}
	return p, nil
}

func badValue(name, vi, en string) error {
	return fail(outcome.Invalid, "value", "Tham số "+name+": "+vi+".", "Parameter "+name+": "+en+".")
}

func reads(q *Request) error {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		return method("GET", "HEAD", "OPTIONS")
	}
	return nil
}

// planInstanceHistory is FHIR R4 http.html#history of one resource.
func (s *Server) planInstanceHistory(q *Request, k store.Key) (*act, error) {
	if err := reads(q); err != nil {
		return nil, err
	}
	p, err := spanOf(q.Query)
	if err != nil {
		return nil, err
	}
	page := store.HistoryPage{Count: p.count + 1}
	page.Since, page.At, page.AtEnd = p.since, p.at, p.atEnd
	if p.cursor != "" {
		if page.Before, err = strconv.Atoi(p.cursor); err != nil || page.Before < 1 {
			return nil, badValue("_cursor", "không hợp lệ", "is not one of ours")
		}
	}
	view, err := viewOf(q.Query)
	if err != nil {
		return nil, err
	}
	return &act{action: "history", run: func(ctx context.Context, t *turn) (*Response, error) {
		list, err := t.r.History(ctx, k, page)
		if err != nil {
			return nil, err
		}
		next := ""
		if len(list) > p.count {
			list = list[:p.count]
			next = strconv.Itoa(list[p.count-1].Version)
		}
		total := -1
		if p.since.IsZero() && p.at.IsZero() && q.Access.Filter.All && page.Before == 0 && len(list) > 0 {
			total = list[0].Version // versions are counted from 1 without gaps
		}
		return t.historyBundle(q, list, total, next, view)
	}}, nil
}

// planHistory is FHIR R4 http.html#history of a type, or of all.
func (s *Server) planHistory(q *Request, types []string) (*act, error) {
	if err := reads(q); err != nil {
		return nil, err
	}
	p, err := spanOf(q.Query)
	if err != nil {
		return nil, err
	}
	view, err := viewOf(q.Query)
	if err != nil {
		return nil, err
	}
	ask := store.ChangesQuery{Types: types, Count: p.count, Cursor: p.cursor}
	ask.Since, ask.At, ask.AtEnd = p.since, p.at, p.atEnd
	return &act{action: "history", run: func(ctx context.Context, t *turn) (*Response, error) {
		page, err := t.r.Changes(ctx, ask)
		if err != nil {
			return nil, err
		}
		return t.historyBundle(q, page.Versions, page.Total, page.Next, view)
	}}, nil
}

func (t *turn) historyBundle(q *Request, list []*store.Resource, total int, next string, view view) (*Response, error) {
	b := Bundle{Type: "history", Total: total, Now: q.now, Links: pageLinks(q, q.Query, next)}
	for _, r := range list {
		e := Entry{FullURL: q.Base + "/" + r.Key.String()}
		verb, code := "PUT", "200 OK"
		switch {
		case r.Deleted:
			verb, code = "DELETE", "204 No Content"
		case r.Version == 1:
			code = "201 Created"
		}
		e.Request = r4.Object{{Name: "method", Value: verb}, {Name: "url", Value: r.Key.String()}}
		e.Response = r4.Object{{Name: "status", Value: code}, {Name: "etag", Value: etag(r.Version)}, {Name: "lastModified", Value: r.Updated.UTC().Format(fhirInstant)}}
		if !r.Deleted {
			var err error
			if e.Resource, err = view.apply(r.Body); err != nil {
				return nil, err
			}
		}
		b.Entries = append(b.Entries, e)
	}
	return &Response{Status: http.StatusOK, Resource: b.JSON()}, nil
}

// period gives the beginning and the end of a date or an instant; days are those of Vietnam when no zone is given.
func period(text string) (lo, hi time.Time, ok bool) {
	zone := time.FixedZone("+07", 7*60*60)
	for _, f := range []struct {
		layout           string
		year, month, day int
		part             time.Duration
	}{{"2006", 1, 0, 0, 0}, {"2006-01", 0, 1, 0, 0}, {"2006-01-02", 0, 0, 1, 0}, {"2006-01-02T15:04Z07:00", 0, 0, 0, time.Minute}} {
		if t, err := time.ParseInLocation(f.layout, text, zone); err == nil {
			return t, t.AddDate(f.year, f.month, f.day).Add(f.part), true
		}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	part := time.Second
	if t.Nanosecond() != 0 {
		part = time.Millisecond
	}
	return t, t.Add(part), err == nil
}
