package validate

import (
	"bytes"
	"strconv"

	"github.com/ytso/ytso/fhir/r4"
)

// The rules here are said by the text of the specification about one element
// and its neighbours, and stand in no invariant.

// coding: a system is an absolute address, and that of a code system, not of a
// value set (FHIR R4 datatypes.html#Coding).
func (w *walker) coding(n r4.Node) {
	system := n.Get("system")
	raw, _ := system.Quoted()
	switch {
	case len(raw) == 0:
	case !absolute(raw):
		w.value(system, "system", "Coding.system phải là địa chỉ tuyệt đối.", "Coding.system must be an absolute address.")
	case bytes.HasPrefix(raw, []byte("http://hl7.org/fhir/ValueSet/")):
		w.value(system, "system", "Coding.system là địa chỉ của một bộ giá trị (ValueSet), không phải của bảng mã (CodeSystem).",
			"Coding.system is the address of a value set, not of a code system.")
	}
}

// attachment: size is that of the data (FHIR R4 datatypes.html#Attachment).
func (w *walker) attachment(n r4.Node) {
	data, _ := n.Get("data").Quoted()
	size := n.Get("size")
	if len(data) == 0 || size.Kind() != r4.Number {
		return
	}
	want, err := strconv.Atoi(size.Text())
	if err != nil || !base64Form(data) {
		return // told already, or held by escapes
	}
	if got := decodedSize(data); got != want {
		w.value(size, "size", "size khác độ dài thật của dữ liệu: "+strconv.Itoa(got)+" byte.", "size is not the length of the data: "+strconv.Itoa(got)+" bytes.")
	}
}

// decodedSize counts the bytes that base64 stands for.
func decodedSize(b []byte) int {
	digits := 0
	for _, c := range b {
		if alphabet64[c] == digit64 {
			digits++
		}
	}
	return digits * 3 / 4
}

// entry: a fullUrl is absolute (FHIR R4 bundle.html#bundle-unique).
func (w *walker) entry(n r4.Node) {
	url := n.Get("fullUrl")
	if raw, _ := url.Quoted(); len(raw) > 0 && !absolute(raw) {
		w.value(url, "full-url", "fullUrl phải là địa chỉ tuyệt đối.", "fullUrl must be an absolute address.")
	}
}
