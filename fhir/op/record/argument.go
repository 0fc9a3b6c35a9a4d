package record

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/rest"
)

// bad is the error of a parameter whose value can't be used.
func bad(name, vi, en string) error {
	return outcome.New(outcome.Invalid, "record.parameter",
		fmt.Sprintf("Tham số “%.64s”: %s.", name, vi), fmt.Sprintf("Parameter %.64q: %s.", name, en)).At(parameterAt(name))
}

func parameterAt(name string) string {
	return fmt.Sprintf("Parameters.parameter.where(name='%.64s')", name)
}

// onlyThese refuses parameters that an operation does not have: one that is passed
// over, or misspelt, would give another answer than was asked for.
func onlyThese(in rest.Parameters, names ...string) error {
	for name := range in.Values() {
		if !slices.Contains(names, name) && name != "_format" && name != "_pretty" {
			return bad(name, "thao tác này không có tham số đó", "the operation has no such parameter")
		}
	}
	return nil
}

// single gives a parameter that may stand once, "" when it is not there.
func single(in rest.Parameters, name string) (string, error) {
	list := in.Texts(name)
	switch len(list) {
	case 0:
		return "", nil
	case 1:
		return list[0], nil
	}
	return "", bad(name, "chỉ được ghi một lần", "may be given once only")
}

// whole reads a number of 1 or more, 0 when it is not there.
func whole(in rest.Parameters, name string) (int, error) {
	text, err := single(in, name)
	if text == "" || err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, bad(name, "phải là số nguyên từ 1 trở lên", "must be a whole number, 1 or more")
	}
	return n, nil
}

// truth reads a boolean, false when it is not there.
func truth(in rest.Parameters, name string) (bool, error) {
	text, err := single(in, name)
	switch {
	case err != nil:
		return false, err
	case text == "" || text == "false":
		return false, nil
	case text == "true":
		return true, nil
	}
	return false, bad(name, "chỉ nhận true hoặc false", "takes true or false")
}

// moment checks a date or an instant, as the layouts say, and gives it as it is written.
func moment(in rest.Parameters, name string, layouts ...string) (string, error) {
	text, err := single(in, name)
	if text == "" || err != nil {
		return "", err
	}
	if !slices.ContainsFunc(layouts, func(l string) bool { _, err := time.Parse(l, text); return err == nil }) {
		return "", bad(name, "không phải ngày giờ kiểu FHIR", "is no date or time as FHIR writes it")
	}
	return text, nil
}

// parse reads a search by the parameters in force.
func (o *operations) parse(base, typ string, v url.Values) (param.Query, error) {
	return o.Params().Parse(typ, v, param.Options{Now: o.Now(), Base: []string{base + "/"}})
}

var (
	dates    = []string{"2006", "2006-01", time.DateOnly}
	instants = []string{time.RFC3339Nano}
)

// typesOf reads _type: several, and several in one, parted by commas.
func typesOf(in rest.Parameters, known func(string) bool) (list []string, err error) {
	for _, text := range in.Texts("_type") {
		for t := range strings.SplitSeq(text, ",") {
			if !known(t) {
				return nil, bad("_type", "có loại tài nguyên không có trong FHIR R4", "names a resource type that FHIR R4 does not have")
			}
			list = append(list, t)
		}
	}
	return list, nil
}
