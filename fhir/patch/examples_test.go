package patch

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

// TestThreeLanguagesAgree: on every official example the three languages make
// the same bytes of the same change, and of no change the bytes that were there.
func TestThreeLanguagesAgree(t *testing.T) {
	z, err := gzip.NewReader(bytes.NewReader(conformance(t, "r4-examples", "examples.ndjson.gz")))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	n, removed, added := 0, 0, 0
	for line := range bytes.Lines(all) {
		d, err := r4.Parse(bytes.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		n++
		name := d.Type() + "/" + d.ID()
		agree(t, name+" unchanged", d.Source(),
			func() ([]byte, error) { return JSON(d, []byte(`[]`)) },
			func() ([]byte, error) { return XML(d, []byte(`<diff><add sel="*"><!-- x --></add></diff>`)) },
			func() ([]byte, error) { return FHIRPath(d, doc(t, `{"resourceType":"Parameters"}`)) })
		if d.Root().Get("text").Exists() {
			removed++
			agree(t, name+" without text", nil,
				func() ([]byte, error) { return JSON(d, []byte(`[{"op":"remove","path":"/text"}]`)) },
				func() ([]byte, error) { return XML(d, []byte(`<diff><remove sel="f:`+d.Type()+`/f:text"/></diff>`)) },
				func() ([]byte, error) { return FHIRPath(d, doc(t, parameters(op("delete", d.Type()+".text")))) })
		}
		if !d.Root().Get("language").Exists() && !d.Root().Get("_language").Exists() {
			added++
			agree(t, name+" in Vietnamese", nil,
				func() ([]byte, error) { return JSON(d, []byte(`[{"op":"add","path":"/language","value":"vi"}]`)) },
				func() ([]byte, error) {
					return FHIRPath(d, doc(t, parameters(op("add", d.Type(), "name", `"valueString":"language"`, "value", `"valueCode":"vi"`))))
				})
		}
	}
	if n != 721 || removed < 500 || added < 500 {
		t.Errorf("%d examples, %d with text, %d without language", n, removed, added)
	}
}

func agree(t *testing.T, name string, want []byte, ways ...func() ([]byte, error)) {
	t.Helper()
	for i, way := range ways {
		got, err := way()
		switch {
		case err != nil:
			t.Errorf("%s, way %d: %v", name, i, err)
		case want == nil:
			want = got
		case !bytes.Equal(got, want):
			at := 0
			for at < min(len(got), len(want)) && got[at] == want[at] {
				at++
			}
			t.Errorf("%s, way %d: got …%.80s want …%.80s", name, i, got[max(0, at-20):], want[max(0, at-20):])
		}
	}
}
