package fhirmap

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

var namespace, _ = element.ParseNamespace("6ba7b810-9dad-11d1-80b4-00c04fd430c8")

var source = Source{
	Facility: "25901", BlobSHA256: "00aa", Ordinal: 3, Received: time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC), NGAYLAP: "20260310",
}

// tables are the tables that a HOSO may hold beside XML1.
var tables = []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15}

// good and bad values by type: what the law asks for, and what foreign programs write.
var (
	someText   = rapid.OneOf(rapid.SampledFrom([]string{"", "", "Khám bệnh", "Nguyễn Thị Ví Dụ", "a;b", "a; b;", ";", "I10", "I10;E11.9", "K01;K03;K01", "25901", "1.5", "a  b", "a\r\nb"}), anything())
	someNumber = rapid.SampledFrom([]string{"", "0", "1", "2", "3", "12", "80", "100", "007", "-5", "1,5", "x", "1e2", "2026"})
	someAmount = rapid.SampledFrom([]string{"", "0", "0.00", "15000.50", "1.005", "-3", "1,5", "1.000.000", "007", "1e400", "99999999999999999999.99"})
	someDay    = rapid.SampledFrom([]string{"", "20260310", "20240229", "20260230", "2026", "10/03/2026", "202603100815", "00000000"})
	someMinute = rapid.SampledFrom([]string{"", "202603100815", "202603102359", "202603102460", "20260310", "x", "202602300101"})
	someBirth  = rapid.SampledFrom([]string{"", "198500000000", "198505000000", "198505120000", "202603100815", "19850512", "x", "198513000000"})
)

func anything() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("aZ09.;,<>&'\"]đĐễ ắ\t\n-/%|\\")), 0, 20, -1)
}

func valueOf(f *claim.Field) *rapid.Generator[string] {
	switch f.Type {
	case claim.TNumber:
		return someNumber
	case claim.TDecimal1, claim.TDecimal2, claim.TDecimal3:
		return someAmount
	case claim.TDate8, claim.TDate8Or12:
		return someDay
	case claim.TDate12:
		return someMinute
	case claim.TBirthDate12:
		return someBirth
	case claim.TDate8List, claim.TDate12List, claim.TNumberList:
		return rapid.Map(rapid.SliceOfN(rapid.OneOf(someDay, someMinute), 0, 3), func(l []string) string {
			out := ""
			for i, s := range l {
				if i > 0 {
					out += ";"
				}
				out += s
			}
			return out
		})
	}
	return someText
}

func fill(t *rapid.T, r claim.Record) {
	for i := range r.Table().Fields {
		f := &r.Table().Fields[i]
		r.Set(i, rapid.OneOf(valueOf(f), valueOf(f), valueOf(f), anything()).Draw(t, r.Table().Name+"."+f.Name))
	}
	for range rapid.IntRange(0, 2).Draw(t, "extra") {
		r.Rest().Extra = append(r.Rest().Extra, claim.Extra{
			Name: rapid.SampledFrom([]string{"TRUONG_LA", "MA_LK", "A"}).Draw(t, "name"), Text: someText.Draw(t, "text"),
		})
	}
}

// setByName puts a field of a row.
func setByName(r claim.Record, name, text string) {
	for i := range r.Table().Fields {
		if r.Table().Fields[i].Name == name {
			r.Set(i, text)
		}
	}
}

func anyHOSO() *rapid.Generator[*claim.HOSO] {
	return rapid.Custom(func(t *rapid.T) *claim.HOSO {
		h := &claim.HOSO{Ordinal: 3}
		fill(t, h.Add(1))
		for range rapid.IntRange(0, 6).Draw(t, "rows") {
			n := rapid.SampledFrom(tables).Draw(t, "table")
			if claim.Tables[n].List == "" && len(h.Of(n)) > 0 {
				continue
			}
			r := h.Add(n)
			fill(t, r)
			if rapid.Bool().Draw(t, "same key") { // what a row is in a sound file
				setByName(r, "MA_LK", string(h.XML1.MA_LK))
			}
		}
		for range rapid.IntRange(0, 2).Draw(t, "parts") {
			h.Parts = append(h.Parts, claim.Part{
				LOAIHOSO: rapid.SampledFrom([]string{"", "XML2", "XML16"}).Draw(t, "part"), Raw: rapid.SampledFrom([][]byte{nil, {}, []byte("QUJD"), []byte("<a>&")}).Draw(t, "raw"),
			})
		}
		return h
	})
}

type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func mapped(t fataler, h *claim.HOSO, src Source) *Visit {
	t.Helper()
	v, err := New(namespace).Map(h, src)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// all gives every resource of a visit.
func (v *Visit) all() []element.Resource {
	return slices.Concat([]element.Resource{v.Patient}, v.Shared, v.Own)
}

func parsed(t fataler, list []element.Resource) []*r4.Doc {
	t.Helper()
	var docs []*r4.Doc
	for _, r := range list {
		d, err := r4.Parse(r.Body)
		if err != nil {
			t.Fatalf("%s: %v\n%s", r.Type, err, r.Body)
		}
		if d.Type() != r.Type || d.ID() != r.ID {
			t.Fatalf("%s/%s says it is %s/%s", r.Type, r.ID, d.Type(), d.ID())
		}
		docs = append(docs, d)
	}
	return docs
}

// same holds that a HOSO comes back from the resources of its visit.
func same(t fataler, h *claim.HOSO) *Visit {
	t.Helper()
	v := mapped(t, h, source)
	docs := parsed(t, v.all())
	slices.Reverse(docs)
	back, err := Back(docs)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := claim.Canonical(h), claim.Canonical(back); !bytes.Equal(a, b) {
		t.Fatalf("it comes back otherwise:\n%s", cmp.Diff(string(a), string(b)))
	}
	if back.Ordinal != h.Ordinal {
		t.Fatalf("ordinal %d, want %d", back.Ordinal, h.Ordinal)
	}
	return v
}

// TestNothingIsLost: whatever the fields hold, the HOSO comes back.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { same(t, anyHOSO().Draw(t, "hoso")) })
}

// TestProvince: nothing of an invented province is lost.
func TestProvince(t *testing.T) {
	n := 0
	for f := range synth.New(synth.Options{People: 60}).Files() {
		for _, h := range f.Claim.HOSO {
			h.Ordinal = source.Ordinal
			same(t, h)
			n++
		}
	}
	if n < 100 {
		t.Errorf("only %d visits", n)
	}
}
