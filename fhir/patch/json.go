package patch

import (
	"fmt"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// JSON applies a JSON Patch (RFC 6902) to the JSON form of doc and gives the
// JSON of the result. The error names the operation as "patch[n]":
// outcome.Invalid (400) when the patch is not well-formed, outcome.Value (422)
// when it doesn't fit the resource, a test that failed among them,
// outcome.TooLong and outcome.TooCostly when it passes the limits.
//
// The result is the document that the patch makes and nothing else: an array or
// object left empty is not taken away, which makes it no resource and so an
// error (FHIR R4 http.html#patch: "following the relevant specification").
func JSON(doc *r4.Doc, patch []byte) (out []byte, err error) {
	defer outcome.Wrap(&err, "patch.JSON")
	root := newValue(doc.Source())
	if err := applyJSON(root, patch); err != nil {
		return nil, err
	}
	return finish(doc, root)
}

func applyJSON(root *value, patch []byte) error {
	if err := tooLong(patch); err != nil {
		return err
	}
	list, err := readValue(patch)
	if err != nil {
		return err
	}
	if list.look(); list.kind() != '[' {
		return malformed("JSON Patch phải là một mảng các thao tác.", "A JSON Patch must be an array of operations.")
	}
	if len(list.items) > MaxOperations {
		return tooMany()
	}
	w := newWork()
	for i, op := range list.items {
		if err := w.operate(root, op); err != nil {
			return at(err, fmt.Sprintf("patch[%d]", i))
		}
	}
	return nil
}

// operate carries out one operation.
func (w *work) operate(root, op *value) error {
	path, err := place(op, "path")
	if err != nil {
		return err
	}
	if err := w.spend(256); err != nil {
		return err
	}
	switch verb := op.get("op").text(); verb {
	case "remove":
		_, err := root.removeAt(path)
		return err
	case "add", "replace", "test":
		return w.give(root, path, op, verb)
	case "move", "copy":
		from, err := place(op, "from")
		if err != nil {
			return err
		}
		return w.carry(root, from, path, verb)
	}
	return malformed("Thao tác phải là add, remove, replace, move, copy hoặc test.", "The operation must be add, remove, replace, move, copy or test.")
}

// place reads a pointer of an operation.
func place(op *value, member string) (pointer, error) {
	v := op.get(member)
	if v == nil || v.opens != '"' {
		return nil, malformed("Thao tác thiếu "+member+".", "The operation has no "+member+".")
	}
	return parsePointer(v.text())
}

// give is add, replace and test: what an operation does with its value.
func (w *work) give(root *value, path pointer, op *value, verb string) error {
	given := op.get("value")
	if given == nil {
		return malformed("Thao tác thiếu value.", "The operation has no value.")
	}
	if err := w.spend(len(given.raw)); err != nil {
		return err
	}
	if verb == "add" {
		return root.addAt(path, newValue(given.raw))
	}
	there, err := root.follow(path, verb == "replace")
	switch {
	case err != nil:
		return err
	case verb == "replace":
		*there = *newValue(given.raw)
	case !equal(there, given):
		return unfit("test", "Giá trị hiện có khác với giá trị mà bản vá đòi hỏi.", "The value there is not the one that the patch asks for.")
	}
	return nil
}

// carry is move and copy.
func (w *work) carry(root *value, from, path pointer, verb string) error {
	if verb == "move" {
		if path.within(from) {
			return unfit("move", "Không thể chuyển một phần tử vào trong chính nó.", "An element can't be moved into itself.")
		}
		v, err := root.removeAt(from)
		if err != nil {
			return err
		}
		return root.addAt(path, v)
	}
	v, err := root.follow(from, false)
	if err != nil {
		return err
	}
	text := v.append(nil)
	if len(text) > maxResult {
		return tooMany()
	}
	if err := w.spend(len(text)); err != nil {
		return err
	}
	return root.addAt(path, newValue(text))
}
