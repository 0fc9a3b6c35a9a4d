package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/validate"
)

// answerError is an error whose status is not that of its kind, or that has headers.
type answerError struct {
	error
	status int
	header http.Header
}

func (e *answerError) Unwrap() error { return e.error }

// status gives an error a status, with header fields in pairs of name and value.
func status(code int, err error, header ...string) error {
	e := &answerError{error: err, status: code, header: http.Header{}}
	for i := 0; i+1 < len(header); i += 2 {
		e.header.Set(header[i], header[i+1])
	}
	return e
}

// fail makes an error of this package.
func fail(k outcome.Kind, key, vi, en string) *outcome.Error {
	return outcome.New(k, "rest."+key, vi, en)
}

// StatusOf is the HTTP status of an error (FHIR R4 http.html#Status-Codes).
func StatusOf(err error) int {
	var a *answerError
	if errors.As(err, &a) && a.status != 0 {
		return a.status
	}
	var f *validate.Failure
	if errors.As(err, &f) {
		return refusal(f)
	}
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable
	}
	return outcome.KindOf(err).Status()
}

// refusal is 400 of what can't be read as a resource of its type, else 422.
func refusal(f *validate.Failure) int {
	for _, i := range f.Issues {
		if i.Severity == validate.Error && (i.Code == outcome.Invalid || i.Code == outcome.Structure) {
			return http.StatusBadRequest
		}
	}
	return http.StatusUnprocessableEntity
}

var (
	errTooLong = fail(outcome.TooLong, "too-long", "Nội dung gửi lên quá lớn. Xin chia thành các phần nhỏ hơn.", "What was sent is too large. Please send it in smaller parts.")
	errTime    = fail(outcome.Timeout, "time", "Yêu cầu mất quá nhiều thời gian nên đã dừng.", "The request took too long and was stopped.")
)

// known makes an outcome.Error of whatever failed.
func known(err error) *outcome.Error {
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return errTooLong
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return errTime
	}
	return outcome.As(err)
}

// Outcome is the OperationOutcome of an error, as JSON, in the caller's language.
func (s *Server) Outcome(ctx context.Context, err error) []byte {
	var f *validate.Failure
	if errors.As(err, &f) && len(f.Issues) > 0 {
		return s.outcomeOf(ctx, s.issues(ctx, f.Issues))
	}
	e := known(err)
	issue := r4.Object{{Name: "severity", Value: severityOf(e.Kind)}, {Name: "code", Value: codeOf(e.Kind)}, {Name: "details", Value: s.sentence(ctx, e.Key, e.VI, e.EN)}}
	issue.Add("expression", slices.DeleteFunc(slices.Clone(e.Expression), func(x string) bool { return x == "" }))
	return s.outcomeOf(ctx, []r4.Object{issue})
}

// OutcomeOf is the OperationOutcome of issues; without any it says that all is well.
func (s *Server) OutcomeOf(ctx context.Context, issues []validate.Issue) []byte {
	if len(issues) == 0 {
		return s.information(ctx, "ok", "Đã thực hiện.", "Done.")
	}
	return outcomeOf("", s.issues(ctx, issues))
}

func (s *Server) issues(ctx context.Context, issues []validate.Issue) []r4.Object {
	list := make([]r4.Object, 0, len(issues))
	for _, i := range issues {
		var o r4.Object
		if i.Line > 0 { // where the text that was received has it
			o.Add("extension", []r4.Object{
				{{Name: "url", Value: "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line"}, {Name: "valueInteger", Value: i.Line}},
				{{Name: "url", Value: "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col"}, {Name: "valueInteger", Value: i.Column}},
			})
		}
		o.Add("severity", string(i.Severity))
		o.Add("code", codeOf(i.Code))
		o.Add("details", s.sentence(ctx, i.Key, i.VI, i.EN))
		if i.Line > 0 {
			o.Add("diagnostics", fmt.Sprintf("line %d, column %d", i.Line, i.Column))
		}
		if i.Expression != "" {
			o.Add("expression", []string{i.Expression})
		}
		list = append(list, o)
	}
	return list
}

// information is an OperationOutcome that tells of no fault.
func (s *Server) information(ctx context.Context, key, vi, en string) []byte {
	return outcomeOf("", []r4.Object{{
		{Name: "severity", Value: "information"}, {Name: "code", Value: "informational"}, {Name: "details", Value: s.sentence(ctx, key, vi, en)},
	}})
}

func outcomeOf(id string, issues []r4.Object) []byte {
	return r4.Object{{Name: "resourceType", Value: "OperationOutcome"}, {Name: "id", Value: id}, {Name: "issue", Value: issues}}.JSON()
}

// outcomeOf is the outcome of a failure, with the number of the request.
func (s *Server) outcomeOf(ctx context.Context, issues []r4.Object) []byte {
	id := ""
	if s.c.Reference != nil {
		id = s.c.Reference(ctx)
	}
	return outcomeOf(id, issues)
}

// sentence is CodeableConcept of a message: its key as code, so that programs need not read sentences.
func (s *Server) sentence(ctx context.Context, key, vi, en string) r4.Object {
	text := en
	if s.c.Vietnamese(ctx) {
		text = vi
	}
	var o r4.Object
	if key != "" {
		o.Add("coding", []r4.Object{{{Name: "system", Value: "urn:ytso:message"}, {Name: "code", Value: key}}})
	}
	o.Add("text", text)
	return o
}

// severityOf is the issue-severity of a kind: fatal for what stopped us, not the caller.
func severityOf(k outcome.Kind) string {
	switch {
	case k == outcome.Informational:
		return "information"
	case k.Status() == http.StatusInternalServerError:
		return "fatal"
	}
	return "error"
}

// codeOf is the issue-type of a kind; it has none for a version that is not current.
func codeOf(k outcome.Kind) string {
	if k == outcome.Stale {
		return string(outcome.Conflict)
	}
	return string(k)
}

// WriteError answers with an OperationOutcome in the format that the request asks for.
func (s *Server) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	f, bad := negotiate(r)
	if bad != nil {
		f = face{}
	}
	s.writeError(w, r, f, err)
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, f face, err error) {
	code := StatusOf(err)
	if code >= 500 && s.c.Fault != nil {
		s.c.Fault(r, err)
	}
	h := w.Header()
	var a *answerError
	if errors.As(err, &a) {
		for name, values := range a.header {
			h[name] = values
		}
	}
	switch {
	case h.Get("Retry-After") != "":
	case code == http.StatusTooManyRequests:
		h.Set("Retry-After", "60")
	case code == http.StatusServiceUnavailable:
		h.Set("Retry-After", "30")
	case code == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="ytso"`) // RFC 9110 §11.6.1 wants one with 401
	}
	s.send(w, r, f, code, s.Outcome(r.Context(), err))
}

// send writes a resource in the format negotiated.
func (s *Server) send(w http.ResponseWriter, r *http.Request, f face, code int, body []byte) {
	out, err := f.render(body)
	if err != nil { // what stands in the store can't be written as XML: our fault, and JSON says so
		if s.c.Fault != nil {
			s.c.Fault(r, err)
		}
		f, code = face{pretty: f.pretty}, http.StatusInternalServerError
		out, _ = f.render(s.Outcome(r.Context(), fmt.Errorf("render: %w", err)))
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType())
	h.Set("Content-Length", strconv.Itoa(len(out)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(out) // the caller has gone: nobody is left to tell
	}
}
