package audit

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
)

// TestQuick: what is read from a row is what stands in its AuditEvent.
func TestQuick(t *testing.T) {
	names, err := newNames([16]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	w := renderer{names, "urn:x:facility", "https://ytso.example/fhir"}
	for i, x := range []row{
		{at: 1_700_000_000_123, kind: "staff", agent: "doctor:1", name: "Đỗ Thị Ửng", facility: "25001", role: "doctor", purpose: "TREAT", right: "doctor.own-facility", action: "fhir.read", outcome: "ok", entity: "Patient/a", actLines: "read Patient/a/1\n", patients: []string{"a"}, addresses: "192.0.2.1", request: "r"},
		{at: 1, kind: "citizen", agent: "golden", name: "Ẩn", role: "citizen", right: "citizen.own-book", action: "fhir.search", outcome: "forbidden", entity: "Observation", detail: "code=x"},
		{at: 2, kind: "system", agent: "system/claims.process", name: "claims.process", right: "a right & more", action: "claims.finish", outcome: "exception", actLines: "put Patient/a/1\nput Claim/b/2\n", patients: []string{"a", "b"}},
		{at: 3, kind: "staff", facility: "25001", role: "doctor", action: "", outcome: "ok", actLines: "delete Patient/a/2\n"}, // as a citizen sees it
		{at: 4, kind: "machine", agent: "m", facility: "25001", role: "machine", action: "fhir.history", outcome: "throttled", entity: "_history"},
	} {
		x.seq = int64(i) + 1
		doc, err := r4.Parse(w.resource(&x).Body)
		if err != nil {
			t.Fatal(err)
		}
		all, err := param.Official().Extract(doc)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, param.Meta{ID: doc.ID()}.Values()...)
		if got, want := lines(w.values(&x)), lines(all); !slices.Equal(got, want) {
			t.Errorf("row %d:\n%q\n%q", x.seq, got, want)
		}
	}
}

func lines(values []param.Value) (list []string) {
	for _, v := range values {
		if slices.Contains(quick, v.Param) {
			text := v.Text
			if v.Kind == param.Token {
				text = "" // the display
			}
			list = append(list, fmt.Sprint(v.Param, v.Kind, v.System, v.Code, text, v.Lo, v.Hi, v.Type, v.ID))
		}
	}
	slices.Sort(list)
	return list
}

// TestNames: an id is its row's alone, and a guess is none.
func TestNames(t *testing.T) {
	a, err := newNames([16]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := newNames([16]byte{2})
	if err != nil {
		t.Fatal(err)
	}
	for seq := range int64(1000) {
		id := a.of(seq)
		if got, ok := a.seq(id); !ok || got != seq || len(id) != 32 {
			t.Fatalf("%d is %s is %d", seq, id, got)
		}
		if _, ok := b.seq(id); ok {
			t.Fatalf("another installation reads %s", id)
		}
	}
	for _, id := range []string{"", "1", "00000000000000000000000000000000", "zz", "ABCDEF00000000000000000000000000"} {
		if _, ok := a.seq(id); ok {
			t.Errorf("%q is an id", id)
		}
	}
}
