// Package patch changes a resource by one of the three patch languages of FHIR
// R4: JSON Patch (RFC 6902), XML Patch (RFC 5261) and FHIRPath Patch. It is
// pure: it reads a document and gives the bytes of a new one, which the caller
// then validates and stores like any update (FHIR R4 http.html#patch: "the
// server processes the resulting document as an Update operation").
//
// A patch is applied as a whole or not at all. What it doesn't touch keeps its
// bytes, number text and order. Neither resourceType nor id can be changed.
// Work and size are bounded, whatever the patch says.
//
// Source: FHIR R4 http.html#patch, fhirpatch.html; RFC 6901, 6902, 5261.
package patch

import (
	"fmt"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

const (
	// MaxPatch bounds the bytes of a patch, MaxOperations the operations in it.
	MaxPatch      = 16 << 20
	MaxOperations = 10_000
	// maxResult bounds the bytes of the result, maxWork the bytes that all
	// operations of a patch read and write: a copy of a copy doubles each time.
	maxResult = 64 << 20
	maxWork   = 512 << 20
)

// work counts what the operations cost.
type work struct{ left int }

func newWork() *work { return &work{maxWork} }

// spend takes n bytes from the budget.
func (w *work) spend(n int) error {
	if w.left -= n; w.left < 0 {
		return outcome.New(outcome.TooCostly, "patch.too-costly", "Bản vá cần quá nhiều công tính.", "The patch takes too much work.")
	}
	return nil
}

// tooLong checks the size of a patch.
func tooLong(patch []byte) error {
	if len(patch) > MaxPatch {
		return outcome.New(outcome.TooLong, "patch.too-long", "Bản vá quá lớn.", "The patch is too large.")
	}
	return nil
}

func tooMany() error {
	return outcome.New(outcome.TooCostly, "patch.too-many", fmt.Sprintf("Bản vá có quá %d thao tác.", MaxOperations),
		fmt.Sprintf("The patch has more than %d operations.", MaxOperations))
}

// malformed is the error of a patch that is not well-formed; unfit of one that
// can't be carried out on this resource.
func malformed(vi, en string) *outcome.Error {
	return outcome.New(outcome.Invalid, "patch.invalid", vi, en)
}

func unfit(key, vi, en string) *outcome.Error {
	return outcome.New(outcome.Value, "patch."+key, vi, en)
}

// at names the operation at fault.
func at(err error, where string) error {
	e := outcome.As(err)
	if len(e.Expression) > 0 {
		return e.At(append([]string{where}, e.Expression...)...)
	}
	return e.At(where)
}

// same checks that a patch left alone what identifies the resource
// (FHIR R4 http.html#patch: the id is the one of the request).
func same(before r4.Node, after *value) error {
	for _, name := range []string{"resourceType", "id"} {
		old, now := before.Get(name), after.get(name)
		if !old.Exists() && now == nil {
			continue
		}
		if old.Exists() && now != nil && equal(newValue(old.Raw()), now) {
			continue
		}
		return unfit("immutable", "Bản vá không được đổi "+name+".", "A patch must not change "+name+".").At(name)
	}
	return nil
}

// finish gives the bytes of the result.
func finish(doc *r4.Doc, root *value) ([]byte, error) {
	if root.kind() != '{' {
		return nil, unfit("result", "Kết quả của bản vá không phải một tài nguyên.", "What the patch leaves is no resource.")
	}
	if err := same(doc.Root(), root); err != nil {
		return nil, err
	}
	out := root.append(make([]byte, 0, len(doc.Source())+256))
	if len(out) > maxResult {
		return nil, outcome.New(outcome.TooCostly, "patch.too-costly", "Kết quả của bản vá quá lớn.", "What the patch leaves is too large.")
	}
	if _, err := r4.Parse(out); err != nil {
		return nil, unfit("result", "Kết quả của bản vá không phải một tài nguyên đúng cách viết.", "What the patch leaves is no well-formed resource.").
			At(outcome.As(err).Expression...).Because(err)
	}
	return out, nil
}
