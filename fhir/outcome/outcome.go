// Package outcome holds the one error shape of ytso: a kind that every edge
// (HTTP, OperationOutcome, page, exit code) reads from one table, the element
// at fault, and a sentence in Vietnamese and in English.
//
// Source: FHIR R4 operationoutcome.html, valueset-issue-type.html.
package outcome

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is the FHIR issue type of an error (FHIR R4 valueset-issue-type.html).
type Kind string

// The kinds in use; Status maps each to HTTP.
const (
	Invalid       Kind = "invalid"       // 400: content is not well-formed or not readable
	Structure     Kind = "structure"     // 400: wrong shape
	Required      Kind = "required"      // 422: an element is missing
	Value         Kind = "value"         // 422: an element's value is wrong
	BusinessRule  Kind = "business-rule" // 422: a rule of the law or of a profile is broken
	NotSupported  Kind = "not-supported" // 400: we can't answer this exactly, so we don't
	NotFound      Kind = "not-found"     // 404: not there, or not visible to the caller
	Deleted       Kind = "deleted"       // 410
	Conflict      Kind = "conflict"      // 409
	Stale         Kind = "stale"         // 412: If-Match did not match (code "conflict" on the wire)
	MultipleMatch Kind = "multiple-matches"
	Login         Kind = "login"      // 401
	Forbidden     Kind = "forbidden"  // 403
	TooLong       Kind = "too-long"   // 413
	TooCostly     Kind = "too-costly" // 422
	Throttled     Kind = "throttled"  // 429
	Timeout       Kind = "timeout"    // 503
	Transient     Kind = "transient"  // 503
	Exception     Kind = "exception"  // 500: our fault
	Informational Kind = "informational"
)

var statusOf = map[Kind]int{
	Invalid: 400, Structure: 400, NotSupported: 400, Required: 422, Value: 422, BusinessRule: 422,
	NotFound: 404, Deleted: 410, Conflict: 409, Stale: 412, MultipleMatch: 412, Login: 401, Forbidden: 403,
	TooLong: 413, TooCostly: 422, Throttled: 429, Timeout: 503, Transient: 503, Exception: 500, Informational: 200,
}

// Status is the HTTP status of a kind; an unknown kind is 500.
func (k Kind) Status() int {
	if s, ok := statusOf[k]; ok {
		return s
	}
	return 500
}

// Error is the error value of ytso. VI and EN are complete sentences that a
// person can act on and never hold patient data; Cause goes to the log only.
type Error struct {
	Kind       Kind
	Key        string   // message key, for example "claim.truncated"
	VI, EN     string   // the sentence
	Expression []string // FHIRPath of the elements at fault
	Cause      error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Kind))
	if e.Key != "" {
		b.WriteString(" " + e.Key)
	}
	if e.EN != "" {
		b.WriteString(": " + e.EN)
	}
	if len(e.Expression) > 0 {
		b.WriteString(" at " + strings.Join(e.Expression, ", "))
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }

// New makes an Error with its sentence in both languages.
func New(k Kind, key, vi, en string) *Error { return &Error{Kind: k, Key: key, VI: vi, EN: en} }

// At returns a copy of e that names the elements at fault.
func (e *Error) At(expression ...string) *Error {
	c := *e
	c.Expression = expression
	return &c
}

// Because returns a copy of e with its cause.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// KindOf finds the kind of err: that of the first *Error in its chain, else Exception.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Exception
}

// As finds the first *Error in err's chain; any other error becomes an
// Exception whose sentences give nothing away and whose cause is err.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{
		Kind: Exception, Key: "exception", Cause: err,
		VI: "Hệ thống gặp lỗi, yêu cầu chưa được thực hiện. Xin thử lại sau.",
		EN: "The system met an error and the request was not carried out. Please try again later.",
	}
}

// Wrap adds what was being done to *errp, for use in a deferred call at the
// start of a public function.
func Wrap(errp *error, format string, args ...any) {
	if *errp != nil {
		*errp = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *errp)
	}
}
