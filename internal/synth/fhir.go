package synth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// namespace is that of the ids of a province: made of its seed, so that the
// same options give the same bytes, and another province shares no id with it.
func (p *Province) namespace() element.Namespace {
	sum := sha256.Sum256(fmt.Appendf(nil, "urn:ytso:synth:%d", p.opt.Seed))
	return element.Namespace(sum[:16])
}

// WriteFHIR writes every visit below a folder, one folder a facility, as one
// transaction Bundle of FHIR R4 each: what its claim file becomes. It says how many.
func (p *Province) WriteFHIR(ctx context.Context, dir string) (n int, err error) {
	m := fhirmap.New(p.namespace())
	for f := range p.Files() {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		b, err := bundle(m, f)
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

// bundle is the transaction of one visit: each resource is put under its id
// (FHIR R4 http.html#transaction), so that it may be sent again.
func bundle(m *fhirmap.Mapper, f File) ([]byte, error) {
	body, err := claim.Encode(f.Claim)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	v, err := m.Map(f.Claim.HOSO[0], fhirmap.Source{
		Facility: f.Facility, BlobSHA256: hex.EncodeToString(sum[:]), Ordinal: f.Claim.HOSO[0].Ordinal, Received: f.Sent, NGAYLAP: f.Claim.NGAYLAP,
	})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(`{"resourceType":"Bundle","type":"transaction","entry":[`)
	write := func(first bool, r element.Resource) {
		if !first {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n{\"resource\":%s,\"request\":{\"method\":\"PUT\",\"url\":%q}}", r.Body, r.Type+"/"+r.ID)
	}
	write(true, v.Patient)
	for _, list := range [][]element.Resource{v.Shared, v.Own} {
		for _, r := range list {
			write(false, r)
		}
	}
	b.WriteString("\n]}\n")
	return b.Bytes(), nil
}
