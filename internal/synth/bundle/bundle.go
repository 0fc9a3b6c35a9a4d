// Package bundle writes the visits of an invented province as FHIR R4
// transactions: what their claim files become. It stands apart from synth,
// which the mapping's own tests run on.
package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// Namespace is that of the ids of a province: made of its seed, so that the
// same options give the same bytes, and another province shares no id with it.
func Namespace(seed uint64) element.Namespace {
	sum := sha256.Sum256(fmt.Appendf(nil, "urn:ytso:synth:%d", seed))
	return element.Namespace(sum[:16])
}

// WriteDir writes every visit of the province of a seed below a folder, one
// folder a facility, as one transaction Bundle each, and says how many.
func WriteDir(ctx context.Context, p *synth.Province, seed uint64, dir string) (n int, err error) {
	m := fhirmap.New(Namespace(seed))
	for f := range p.Files() {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		b, err := transaction(m, f)
		if err != nil {
			return n, fmt.Errorf("%s: %w", f.Name, err)
		}
		path := filepath.Join(dir, f.Facility, strings.TrimSuffix(f.Name, ".xml")+".json")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return n, err
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Visit is what one claim file becomes: the patient, what several visits share, and what is the visit's own.
type Visit struct {
	Facility  string
	Resources []element.Resource
}

// Visits gives every visit of the province of a seed, in the order in which the files are sent.
func Visits(p *synth.Province, seed uint64) iter.Seq2[Visit, error] {
	return func(yield func(Visit, error) bool) {
		m := fhirmap.New(Namespace(seed))
		for f := range p.Files() {
			v, err := visit(m, f)
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

func visit(m *fhirmap.Mapper, f synth.File) (Visit, error) {
	body, err := claim.Encode(f.Claim)
	if err != nil {
		return Visit{}, err
	}
	sum := sha256.Sum256(body)
	v, err := m.Map(f.Claim.HOSO[0], fhirmap.Source{
		Facility: f.Facility, BlobSHA256: hex.EncodeToString(sum[:]), Ordinal: f.Claim.HOSO[0].Ordinal, Received: f.Sent, NGAYLAP: f.Claim.NGAYLAP,
	})
	if err != nil {
		return Visit{}, err
	}
	return Visit{f.Facility, slices.Concat([]element.Resource{v.Patient}, v.Shared, v.Own)}, nil
}

// transaction is that of one visit.
func transaction(m *fhirmap.Mapper, f synth.File) ([]byte, error) {
	v, err := visit(m, f)
	if err != nil {
		return nil, err
	}
	return Transaction(v.Resources), nil
}

// Transaction puts each resource under its id (FHIR R4 http.html#transaction), so that it may be sent again.
func Transaction(resources []element.Resource) []byte {
	var b bytes.Buffer
	b.WriteString(`{"resourceType":"Bundle","type":"transaction","entry":[`)
	for i, r := range resources {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n{\"resource\":%s,\"request\":{\"method\":\"PUT\",\"url\":%q}}", r.Body, r.Type+"/"+r.ID)
	}
	b.WriteString("\n]}\n")
	return b.Bytes()
}
