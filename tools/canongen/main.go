// Canongen packs official definitions (CC0-1.0) into the tables that
// packages term, core and ips embed: facts only. What is prose (narratives,
// definitions, comments, requirements, mappings, copyright) stays outside.
//
//	go run ./tools/canongen terms    hl7.fhir.r4.core-4.0.1.tgz fhir/term/tables.zst
//	go run ./tools/canongen profiles hl7.fhir.r4.core-4.0.1.tgz fhir/core/tables.zst
//	go run ./tools/canongen ips      ips/profiles               fhir/ips/tables.zst
package main

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: canongen terms|profiles|ips FROM OUT.zst")
	}
	packed, err := generate(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[3], packed, 0o644); err != nil {
		log.Fatal(err)
	}
	log.Printf("%s: %d bytes", os.Args[3], len(packed))
}

// types of definitions that go into each table.
var types = map[string][]string{
	"terms":    {"CodeSystem", "ConceptMap", "ValueSet"},
	"profiles": {"OperationDefinition", "StructureDefinition"},
	"ips":      {"OperationDefinition", "StructureDefinition"},
}

// copies are lists of other bodies, large and bound by no element of R4 as required or extensible:
// DICOM's terms, the breeds of animals in SNOMED CT and VeNom, the tribes of the United States. Whoever needs them loads a package.
var copies = []string{"CodeSystem-dicom-dcim.json", "CodeSystem-v3-TribalEntityUS.json", "ValueSet-animal-breeds.json"}

func generate(kind, from string) ([]byte, error) {
	keep, ok := types[kind]
	if !ok {
		return nil, fmt.Errorf("there is no table %q", kind)
	}
	texts, err := read(from, keep)
	if err != nil {
		return nil, err
	}
	var list []definition
	for name, text := range texts {
		d, err := reduce(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if d.url != "" {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b definition) int {
		return cmp.Or(strings.Compare(a.typ, b.typ), strings.Compare(a.url, b.url), strings.Compare(a.version, b.version))
	})
	return pack(list, chunks[kind])
}

// read gives the files of a package or a folder whose names begin with a type that is kept.
func read(from string, keep []string) (map[string][]byte, error) {
	texts := map[string][]byte{}
	wanted := func(name string) bool {
		typ, _, _ := strings.Cut(filepath.Base(name), "-")
		return slices.Contains(keep, typ) && strings.HasSuffix(name, ".json") && !slices.Contains(copies, filepath.Base(name))
	}
	if info, err := os.Stat(from); err == nil && info.IsDir() {
		files, err := os.ReadDir(from)
		for _, f := range files {
			if wanted(f.Name()) && err == nil {
				texts[f.Name()], err = os.ReadFile(filepath.Join(from, f.Name()))
			}
		}
		return texts, err
	}
	f, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return texts, nil
		}
		if err != nil {
			return nil, err
		}
		if wanted(h.Name) {
			if texts[h.Name], err = io.ReadAll(r); err != nil {
				return nil, err
			}
		}
	}
}

// chunks are how many bytes of resources are packed together: to find one, one
// chunk is unpacked. Code systems are compiled once and kept; of profiles each is small.
var chunks = map[string]int{"terms": 512 << 10, "profiles": 128 << 10, "ips": 128 << 10}

// pack makes the file that canon.Table reads.
func pack(list []definition, chunk int) ([]byte, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	var index, frames, now []byte
	for i, d := range list {
		index = fmt.Appendf(index, "%s\t%s\t%s\t%d\n", d.typ, d.url, d.version, len(d.text))
		now = append(now, d.text...)
		if len(now) >= chunk || i == len(list)-1 {
			frame := enc.EncodeAll(now, nil)
			index = fmt.Appendf(index, "%d\n", len(frame))
			frames, now = append(frames, frame...), now[:0]
		}
	}
	head := enc.EncodeAll(index, nil)
	out := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	return append(append(out, head...), frames...), nil
}
