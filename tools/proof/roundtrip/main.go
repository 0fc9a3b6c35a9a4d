// Roundtrip turns every claim file of an invented province into FHIR and back
// and holds what comes back against the canonical claim, field by field. Files
// spoilt by every kind of fault go the same way: a wrong value must not be
// lost either. Each resource is read again from its JSON; the original is not used.
//
//	go run ./tools/proof/roundtrip --people 300
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/synth/fault"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

func main() {
	log.SetFlags(0)
	people := flag.Int("people", 60, "people of the province")
	seed := flag.Uint64("seed", 1, "another seed is another province")
	each := flag.Int("each", 20, "files to spoil by each kind of fault")
	flag.Parse()
	p, err := prove(synth.Options{People: *people, Seed: *seed}, *each)
	if err != nil {
		log.Fatal(err)
	}
	p.write(os.Stdout)
	if p.lost > 0 || p.failed > 0 {
		os.Exit(1)
	}
}

// proof is what was compared.
type proof struct {
	clean, spoilt, unread int // files; unread: spoilt so far that no record can be read from them
	bytes                 int64
	resources             map[string]int
	tables                map[string]*table
	lost, failed          int // fields that differ, files that could not be turned
	examples              []string
	mapper                *fhirmap.Mapper
}

type table struct{ rows, fields int }

func prove(opt synth.Options, each int) (*proof, error) {
	p := &proof{resources: map[string]int{}, tables: map[string]*table{}, mapper: fhirmap.New(element.Namespace{1})}
	left := map[string]int{}
	for f := range synth.New(opt).Files() {
		body, err := claim.Encode(f.Claim)
		if err != nil {
			return nil, err
		}
		p.clean++
		p.file(f.Name, f, body)
		for _, k := range fault.Kinds {
			if left[k.Name] == each {
				continue
			}
			if broken, _, ok := fault.Plant(k, opt.Seed+uint64(p.clean), body); ok {
				left[k.Name]++
				p.spoilt++
				p.file(f.Name+" "+k.Name, f, broken)
			}
		}
	}
	return p, nil
}

// file sends every record of a file there and back.
func (p *proof) file(name string, f synth.File, body []byte) {
	p.bytes += int64(len(body))
	got, err := claim.Decode(body, claim.Limits{})
	if err != nil {
		p.unread++ // refused as a whole: no record of it goes anywhere
		return
	}
	sum := sha256.Sum256(body)
	for _, h := range got.HOSO {
		if h.XML1 == nil {
			p.unread++ // nobody's visit: the checks refuse it
			continue
		}
		v, err := p.mapper.Map(h, fhirmap.Source{
			Facility: f.Facility, BlobSHA256: hex.EncodeToString(sum[:]), Ordinal: h.Ordinal, Received: f.Sent, NGAYLAP: got.NGAYLAP,
		})
		var back *claim.HOSO
		if err == nil {
			back, err = p.back(v)
		}
		if err != nil {
			p.failed++
			p.example("%s: %v", name, err)
			continue
		}
		p.compare(name, h, back)
	}
}

// back reads the resources of a visit again and makes the record of them.
func (p *proof) back(v *fhirmap.Visit) (*claim.HOSO, error) {
	var docs []*r4.Doc
	for _, list := range [][]element.Resource{{v.Patient}, v.Shared, v.Own} {
		for _, r := range list {
			d, err := r4.Parse(r.Body)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.Type, err)
			}
			p.resources[r.Type]++
			docs = append(docs, d)
		}
	}
	return fhirmap.Back(docs)
}

func (p *proof) compare(name string, h, back *claim.HOSO) {
	for _, r := range h.Rows() {
		t := p.tables[r.Table().Name]
		if t == nil {
			t = &table{}
			p.tables[r.Table().Name] = t
		}
		t.rows++
		for i := range r.Table().Fields {
			if strings.TrimSpace(r.Get(i)) != "" {
				t.fields++
			}
		}
		t.fields += len(r.Rest().Extra)
	}
	want, got := claim.Canonical(h), claim.Canonical(back)
	if bytes.Equal(want, got) {
		return
	}
	a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range max(len(a), len(b)) {
		x, y := "(nothing)", "(nothing)"
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			p.lost++
			p.example("%s: %s came back as %s", name, x, y)
		}
	}
}

func (p *proof) example(format string, args ...any) {
	if len(p.examples) < 20 {
		p.examples = append(p.examples, fmt.Sprintf(format, args...))
	}
}

func (p *proof) write(w io.Writer) {
	rows, fields := 0, 0
	fmt.Fprintf(w, "claim → FHIR → claim\n\n%-8s %9s %9s\n", "table", "rows", "fields")
	names := slices.Sorted(maps.Keys(p.tables))
	slices.SortStableFunc(names, func(a, b string) int { return len(a) - len(b) })
	for _, n := range names {
		t := p.tables[n]
		fmt.Fprintf(w, "%-8s %9d %9d\n", n, t.rows, t.fields)
		rows, fields = rows+t.rows, fields+t.fields
	}
	fmt.Fprintf(w, "\n%-24s %9s\n", "resource", "read back")
	for _, n := range slices.Sorted(maps.Keys(p.resources)) {
		fmt.Fprintf(w, "%-24s %9d\n", n, p.resources[n])
	}
	fmt.Fprintf(w, "\n%d clean files, %d spoilt by %d kinds of fault (%d of those hold no record that can be read), %.1f MB\n",
		p.clean, p.spoilt, len(fault.Kinds), p.unread, float64(p.bytes)/1e6)
	fmt.Fprintf(w, "%d rows and %d filled fields compared: %d differ; %d records could not be turned\n", rows, fields, p.lost, p.failed)
	for _, e := range p.examples {
		fmt.Fprintln(w, "  ", e)
	}
}
