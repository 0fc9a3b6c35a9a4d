package rest

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/validate"
)

// entry is one entry of a batch or transaction.
type entry struct {
	i       int
	fullURL string
	q       *Request
	err     error // what is wrong with it; in a transaction it ends all
}

// planBundle is FHIR R4 http.html#transaction.
func (s *Server) planBundle(ctx context.Context, q *Request) (*act, error) {
	doc, err := bodyOf(q, "Bundle")
	if err != nil {
		return nil, err
	}
	if q.Inner {
		return nil, errNested
	}
	if err := validate.Refusal(outer(doc)); err != nil {
		return nil, err
	}
	list := doc.Root().Get("entry")
	if list.Len() > s.c.MaxEntries {
		return nil, fail(outcome.TooCostly, "entries", fmt.Sprintf("Bundle có quá %d phần tử; xin chia nhỏ.", s.c.MaxEntries),
			fmt.Sprintf("The Bundle has more than %d entries; send it in parts.", s.c.MaxEntries)).At("Bundle.entry")
	}
	entries := make([]*entry, 0, list.Len())
	for n := list.First(); n.Exists(); n = n.Next(list) {
		entries = append(entries, s.entry(q, n, len(entries)))
	}
	switch t := doc.Root().Get("type").Text(); t {
	case "batch":
		return &act{alone: func(ctx context.Context) (*Response, error) { return s.batch(ctx, q, entries) }}, nil
	case "transaction":
		return s.planTransaction(ctx, q, entries)
	}
	return nil, fail(outcome.Invalid, "bundle-type", "Ở địa chỉ gốc chỉ nhận Bundle loại batch hoặc transaction; Bundle khác gửi tới /Bundle.",
		"The root takes Bundles of type batch or transaction; send others to /Bundle.").At("Bundle.type")
}

var errNested = fail(outcome.NotSupported, "nested", "Bundle không được chứa một batch hoặc transaction khác.", "A Bundle can't hold another batch or transaction.")

// outer checks a Bundle but for the resources in it: each is checked when it is written.
func outer(doc *r4.Doc) (list []validate.Issue) {
	add := func(n r4.Node, expression, vi, en string) {
		i := validate.Issue{Severity: validate.Error, Code: outcome.Structure, Expression: expression, Key: "rest.bundle", VI: vi, EN: en}
		i.Line, i.Column = n.Place()
		list = append(list, i)
	}
	known := func(n r4.Node, s *r4.Shape, expression string) {
		for v := n.First(); v.Exists() && len(list) < validate.MaxIssues; v = v.Next(n) {
			name := string(v.Name())
			if m := s.Member([]byte(strings.TrimPrefix(name, "_"))); m == nil && (name != "resourceType" || !s.Resource) {
				add(v, expression, fmt.Sprintf("%s không có phần tử %.60q.", s.Path, name), fmt.Sprintf("%s has no element %.60q.", s.Path, name))
			} else if m != nil && m.Many != (v.Kind() == r4.Array) {
				add(v, expression+"."+name, name+" sai số lượng.", name+" must be an array where it repeats, and none where not.")
			}
		}
	}
	root := doc.Root()
	known(root, r4.ShapeAt("Bundle"), "Bundle")
	entries, i := root.Get("entry"), 0
	for n := entries.First(); n.Exists() && len(list) < validate.MaxIssues; n = n.Next(entries) {
		at := fmt.Sprintf("Bundle.entry[%d]", i)
		i++
		known(n, r4.ShapeAt("Bundle.entry"), at)
		known(n.Get("request"), r4.ShapeAt("Bundle.entry.request"), at+".request")
	}
	return list
}

// entry makes the request of an entry.
func (s *Server) entry(q *Request, n r4.Node, i int) *entry {
	e := &entry{i: i, fullURL: n.Get("fullUrl").Text()}
	ask := n.Get("request")
	in := &Request{Method: ask.Get("method").Text(), Base: q.Base, Header: http.Header{}, Inner: true, Access: q.Access, Owner: q.Owner, now: q.now}
	e.q = in
	for _, h := range [][2]string{{"ifMatch", "If-Match"}, {"ifNoneMatch", "If-None-Match"}, {"ifModifiedSince", "If-Modified-Since"}, {"ifNoneExist", "If-None-Exist"}} {
		if v := ask.Get(h[0]).Text(); v != "" {
			in.Header.Set(h[1], v)
		}
	}
	if v := q.Header.Values("Prefer"); len(v) > 0 {
		in.Header["Prefer"] = v
	}
	switch in.Method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE":
	default:
		e.err = fail(outcome.Invalid, "entry-method", "Thiếu request.method hoặc phương thức không hợp lệ.", "request.method is missing or is none of FHIR's.")
		return e
	}
	if e.err = in.address(ask.Get("url").Text()); e.err != nil {
		return e
	}
	if body := n.Get("resource"); body.Exists() {
		in.Doc, e.err = r4.Parse(body.Raw())
	}
	return e
}

// address reads the url of an entry: relative to the base, or absolute below it.
func (q *Request) address(text string) (err error) {
	bad := fail(outcome.Invalid, "entry-url", "request.url phải là địa chỉ tương đối so với gốc, ví dụ Patient/1.", "request.url must be relative to the base, as in Patient/1.")
	text = strings.TrimPrefix(strings.TrimPrefix(text, q.Base), "/")
	if text == "" && q.Method == "POST" {
		return errNested
	}
	path, query, _ := strings.Cut(text, "?")
	if strings.Contains(path, ":") && !strings.Contains(path, "/") || strings.Contains(path, "://") || text == "" {
		return bad
	}
	if q.Path, err = segments(path); err != nil {
		return bad
	}
	if q.Query, err = url.ParseQuery(query); err != nil {
		return bad
	}
	return nil
}

var errAnswer = fail(outcome.TooCostly, "answer", "Câu trả lời cho cả Bundle đã quá lớn; xin hỏi phần còn lại bằng yêu cầu khác.",
	"The answer to the whole Bundle is too large already; ask for the rest in another request.")

// reading says that an entry changes nothing, as far as its address tells.
func (e *entry) reading() bool {
	p := e.q.Path
	return e.q.Method == http.MethodGet || e.q.Method == http.MethodHead || len(p) > 0 && p[len(p)-1] == "_search"
}

// size is what a response holds in memory until the whole Bundle is answered.
func (r *Response) size() int64 {
	if r == nil {
		return 0
	}
	return int64(len(r.Resource) + len(r.Raw))
}

// batch carries out each entry by itself. When their answers outgrow what a
// request may hold, what only reads is refused; what writes is still done.
func (s *Server) batch(ctx context.Context, q *Request, entries []*entry) (*Response, error) {
	out := Bundle{Type: "batch-response", Total: -1, Now: q.now}
	var held int64
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var resp *Response
		err := e.err
		if err == nil && held > s.c.MaxBody && e.reading() {
			err = errAnswer
		}
		if err == nil {
			resp, err = s.Do(ctx, e.q)
			held += resp.size()
		}
		if err != nil && StatusOf(err) >= 500 && q.fault != nil {
			q.fault(err)
		}
		out.Entries = append(out.Entries, s.answer(ctx, e, resp, err))
	}
	return &Response{Status: http.StatusOK, Resource: out.JSON()}, nil
}

// answer makes the entry of a response Bundle.
func (s *Server) answer(ctx context.Context, e *entry, resp *Response, err error) (out Entry) {
	if err == nil && resp.Stream != nil {
		err = fail(outcome.NotSupported, "stream", "Thao tác này trả lời theo luồng nên không gọi được trong Bundle.", "This answers with a stream, so it can't be part of a Bundle.")
	}
	if err != nil {
		code := StatusOf(err)
		out.Response = r4.Object{{Name: "status", Value: statusLine(code)}, {Name: "outcome", Value: r4.Raw(s.Outcome(ctx, err))}}
		return out
	}
	code := cmp.Or(resp.Status, http.StatusOK)
	out.Response = r4.Object{{Name: "status", Value: statusLine(code)}}
	if resp.Version > 0 && resp.Key.Type != "" {
		out.FullURL = e.q.Base + "/" + resp.Key.String()
		if resp.Written {
			out.Response.Add("location", versionURL(e.q.Base, resp.Key, resp.Version))
		}
		out.Response.Add("etag", etag(resp.Version))
		out.Response.Add("lastModified", resp.LastModified.UTC().Format(fhirInstant))
	}
	switch body := resp.Resource; {
	case e.q.Method == http.MethodHead || code == http.StatusNotModified:
	case resp.Raw != nil:
		out.Resource = r4.Object{{Name: "resourceType", Value: "Binary"}, {Name: "contentType", Value: resp.ContentType}, {Name: "data", Value: base64.StdEncoding.EncodeToString(resp.Raw)}}.JSON()
	case !resp.Written:
		out.Resource = body
	case preferOf(e.q.Header).back == "representation":
		out.Resource = body
	case preferOf(e.q.Header).back == "OperationOutcome" || len(resp.Issues) > 0:
		out.Response.Add("outcome", r4.Raw(s.OutcomeOf(ctx, resp.Issues)))
	}
	return out
}

func statusLine(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// inEntry names the entry of a transaction that an error is about.
func inEntry(i int, err error) error {
	if err == nil {
		return nil
	}
	at := fmt.Sprintf("Bundle.entry[%d]", i)
	var f *validate.Failure
	if errors.As(err, &f) {
		moved := &validate.Failure{Issues: make([]validate.Issue, len(f.Issues))}
		for j, issue := range f.Issues {
			_, rest, _ := strings.Cut(issue.Expression, ".")
			issue.Expression = strings.TrimSuffix(at+".resource."+rest, ".")
			issue.Line, issue.Column = 0, 0 // they count from the entry's own beginning
			moved.Issues[j] = issue
		}
		return moved
	}
	code := StatusOf(err)
	if code >= 500 {
		return err
	}
	e := known(err)
	where := []string{at}
	for _, x := range e.Expression {
		where = append(where, at+".resource."+x)
	}
	var a *answerError
	if errors.As(err, &a) && code == http.StatusGone {
		return e.At(where...) // the entity tag is that of one entry, not of the answer
	}
	return status(code, e.At(where...))
}
