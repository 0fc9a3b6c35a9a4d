package main

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// subject is a resource to run over.
type subject struct {
	name string
	body []byte
	doc  *r4.Doc
}

// gather takes the official examples and as many again from an invented
// province at most, and fills up with mutations of both.
func gather(n int, seed uint64, conformance string) (out []subject, err error) {
	add := func(name string, body []byte) bool {
		doc, err := r4.Parse(body)
		if err != nil || doc.Type() == "" {
			return false
		}
		out = append(out, subject{name, body, doc})
		return true
	}
	bodies, err := examples(conformance)
	if err != nil {
		return nil, err
	}
	for i, b := range bodies {
		if len(out) < n && !add(fmt.Sprintf("example %d", i+1), b) {
			return nil, fmt.Errorf("example %d can't be read", i+1)
		}
	}
	born, err := province(seed, (n-len(out))/3)
	if err != nil {
		return nil, err
	}
	for i, b := range born {
		add(fmt.Sprintf("province %d", i+1), b)
	}
	whole := len(out)
	g := rand.New(rand.NewPCG(seed, 7))
	for tries := 0; len(out) < n && tries < 20*n; tries++ {
		of := out[g.IntN(whole)]
		add(fmt.Sprintf("mutation %d of %s", tries, of.name), mutate(g, of.body))
	}
	return out, nil
}

func examples(conformance string) (out [][]byte, err error) {
	f, err := os.Open(filepath.Join(conformance, "r4-examples", "examples.ndjson.gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	all, err := io.ReadAll(z)
	for line := range bytes.Lines(all) {
		out = append(out, bytes.TrimSpace(line))
	}
	return out, err
}

// province gives resources of claims, some of each type.
func province(seed uint64, n int) (out [][]byte, err error) {
	m := fhirmap.New(element.Namespace{1})
	seen := map[string]int{}
	for f := range synth.New(synth.Options{People: 60, Seed: seed}).Files() {
		body, err := claim.Encode(f.Claim)
		if err != nil {
			return nil, err
		}
		c, err := claim.Decode(body, claim.Limits{})
		if err != nil {
			return nil, err
		}
		for _, h := range c.HOSO {
			v, err := m.Map(h, fhirmap.Source{Facility: f.Facility, BlobSHA256: hex.EncodeToString(make([]byte, 32)), Ordinal: h.Ordinal, Received: f.Sent, NGAYLAP: c.NGAYLAP})
			if err != nil {
				return nil, err
			}
			for _, list := range [][]element.Resource{{v.Patient}, v.Shared, v.Own} {
				for _, r := range list {
					if seen[r.Type]++; seen[r.Type] <= 60 && len(out) < n {
						out = append(out, r.Body)
					}
				}
			}
		}
	}
	return out, nil
}

// spot is a place in a tree that can be changed.
type spot struct {
	in   any // map[string]any or []any
	key  string
	item int
}

func (s spot) get() any {
	if m, ok := s.in.(map[string]any); ok {
		return m[s.key]
	}
	return s.in.([]any)[s.item]
}

func (s spot) set(v any) {
	if m, ok := s.in.(map[string]any); ok {
		m[s.key] = v
		return
	}
	s.in.([]any)[s.item] = v
}

func spots(v any, out []spot) []spot {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if k == "resourceType" || k == "div" || k == "id" {
				continue
			}
			out = spots(v[k], append(out, spot{in: v, key: k}))
		}
	case []any:
		for i := range v {
			out = spots(v[i], append(out, spot{in: v, item: i}))
		}
	}
	return out
}

// mutate changes a resource in one to three places; what can't be read afterwards is left out by the caller.
func mutate(g *rand.Rand, body []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var root map[string]any
	if dec.Decode(&root) != nil {
		return nil
	}
	for range 1 + g.IntN(3) {
		list := spots(root, nil)
		if len(list) == 0 {
			return nil
		}
		change(g, list[g.IntN(len(list))])
	}
	out, err := json.Marshal(root)
	if err != nil {
		return nil
	}
	return out
}

func change(g *rand.Rand, s spot) {
	m, member := s.in.(map[string]any)
	if member && g.IntN(4) == 0 && len(m) > 1 {
		delete(m, s.key)
		return
	}
	switch v := s.get().(type) {
	case string:
		if member && g.IntN(4) == 0 && !strings.HasPrefix(s.key, "_") {
			m["_"+s.key] = map[string]any{"extension": []any{map[string]any{"url": "urn:x:" + s.key, "valueString": v}}}
			return
		}
		if s.key != "reference" { // those are changed as a whole, below
			s.set(text(g, v))
		}
	case json.Number:
		all := []json.Number{"0", "1", "-1", "100", "0.10", "1.50", "12345.678", "3"}
		s.set(all[g.IntN(len(all))])
	case bool:
		s.set(!v)
	case []any:
		if len(v) > 0 && !strings.HasPrefix(s.key, "_") {
			s.set(append(v, v[g.IntN(len(v))]))
		}
	case map[string]any:
		if ref, ok := v["reference"].(string); ok {
			all := []string{"http://other.example/fhir/" + ref, "urn:uuid:5c0b6a6e-1f3c-4a6e-9a3e-000000000001", "#c1", ref + "/_history/2", "Patient/x", "Group/y"}
			v["reference"] = all[g.IntN(len(all))]
		}
	}
}

// text gives another text of the same sort: a date stays one, of another precision.
func text(g *rand.Rand, v string) string {
	if len(v) >= 4 && strings.Trim(v[:4], "0123456789") == "" && (len(v) == 4 || v[4] == '-') {
		all := []string{"2026", "2026-03", "2026-03-10", "2026-03-10T08:00:00+07:00", "2026-03-10T01:00:00.5Z", "1980-02-29"}
		return all[g.IntN(len(all))]
	}
	all := []string{"Nguyễn Thị Ví Dụ", "x", v + " " + v, strings.ToUpper(v), "a b  c", "đường huyết", "123", "true", "http://x.example/y|1"}
	return all[g.IntN(len(all))]
}
