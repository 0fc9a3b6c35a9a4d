package fhirpath

import (
	"fmt"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
)

// at makes an error that names the place in the expression.
func at(src string, pos int, kind outcome.Kind, key, vi, en string) error {
	return outcome.New(kind, "fhirpath."+key,
		fmt.Sprintf("%s (ký tự %d của biểu thức FHIRPath).", strings.TrimSuffix(vi, "."), pos+1),
		fmt.Sprintf("%s (character %d of the FHIRPath expression).", strings.TrimSuffix(en, "."), pos+1)).
		Because(fmt.Errorf("%.200q", src))
}

func syntax(src string, pos int) error {
	return at(src, pos, outcome.Invalid, "syntax", "Biểu thức sai cú pháp.", "The expression is not well-formed.")
}

func unknownFunction(src string, n *node) error {
	return at(src, n.at, outcome.NotSupported, "not-supported",
		fmt.Sprintf("Không có hàm “%.40s”.", n.name), fmt.Sprintf("There is no function %.40q.", n.name))
}

func wrongArguments(src string, n *node) error {
	return at(src, n.at, outcome.Invalid, "arguments",
		fmt.Sprintf("Số tham số của hàm “%.40s” không đúng.", n.name), fmt.Sprintf("%.40q has the wrong number of arguments.", n.name))
}

func unknownType(src string, pos int, t typeRef) error {
	return at(src, pos, outcome.Invalid, "type",
		fmt.Sprintf("Không có kiểu “%.40s”.", t.name), fmt.Sprintf("There is no type %.40q.", t.name))
}

func unknownElement(src string, n *node, in string) error {
	return at(src, n.at, outcome.Invalid, "element",
		fmt.Sprintf("%.60s không có phần tử “%.40s”.", in, n.name), fmt.Sprintf("%.60s has no element %.40q.", in, n.name))
}

func unordered(src string, pos int) error {
	return at(src, pos, outcome.Invalid, "order",
		"Các phần tử con không có thứ tự, không chọn theo vị trí được.", "Children have no order, so they can't be picked by position.")
}

// The rest are met while an expression runs.

func (r *run) singleton(pos int) {
	r.fail(pos, outcome.Invalid, "singleton", "Chỗ này cần đúng một giá trị nhưng có nhiều.", "One value is wanted here, but there are several.")
}

func (r *run) mistyped(pos int, want string) {
	r.fail(pos, outcome.Invalid, "operand",
		fmt.Sprintf("Giá trị ở đây không đúng kiểu, cần %s.", want), fmt.Sprintf("The value here has the wrong type: %s is wanted.", want))
}

func (r *run) costly(pos int) {
	r.fail(pos, outcome.TooCostly, "too-costly", "Biểu thức cần quá nhiều bước tính.", "The expression takes too many steps.")
}

func (r *run) unanswered(pos int, vi, en string) {
	r.fail(pos, outcome.NotSupported, "unanswered", vi, en)
}
