// R4gen turns the official package hl7.fhir.r4.core 4.0.1 (CC0-1.0) into the
// compact tables that package r4 embeds: facts only, no prose.
//
//	go run ./tools/r4gen hl7.fhir.r4.core-4.0.1.tgz fhir/r4/tables.zst
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: r4gen PACKAGE.tgz OUT.zst")
	}
	text, err := tables(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[2], enc.EncodeAll(text, nil), 0o644); err != nil {
		log.Fatal(err)
	}
}

// definition holds the members of the three kinds of resource that are read.
type definition struct {
	ResourceType, Kind, Type, Derivation, Code, URL, Expression string
	Base                                                        json.RawMessage
	Target, Modifier, Comparator                                []string
	Component                                                   []struct{ Definition, Expression string }
	Resource                                                    []struct {
		Code  string
		Param []string
	}
	Snapshot struct{ Element []element }
}

type element struct {
	Path, Max        string
	Min              int
	ContentReference string
	Type             []struct {
		Code          string
		TargetProfile []string
	}
	Binding               struct{ Strength, ValueSet string }
	IsSummary, IsModifier bool
}

// tables gives three tables parted by a line "--", each sorted, fields parted by tabs:
// elements, search parameters, patient compartment.
func tables(pkg string) ([]byte, error) {
	f, err := os.Open(pkg)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var elements, params, compartment []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		kind, _, _ := strings.Cut(path.Base(h.Name), "-")
		if kind != "StructureDefinition" && kind != "SearchParameter" && path.Base(h.Name) != "CompartmentDefinition-patient.json" {
			continue
		}
		var d definition
		if err := json.NewDecoder(r).Decode(&d); err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
		switch d.ResourceType {
		case "StructureDefinition":
			if d.Derivation != "constraint" && d.Kind != "logical" {
				elements = append(elements, elementLines(d)...)
			}
		case "SearchParameter":
			params = append(params, paramLine(d))
		case "CompartmentDefinition":
			for _, res := range d.Resource {
				if len(res.Param) > 0 {
					compartment = append(compartment, res.Code+"\t"+strings.Join(res.Param, " "))
				}
			}
		}
	}
	var b bytes.Buffer
	for i, t := range [][]string{elements, params, compartment} {
		if i > 0 {
			b.WriteString("--\n")
		}
		slices.Sort(t)
		for _, l := range t {
			b.WriteString(l + "\n")
		}
	}
	return b.Bytes(), nil
}

// elementLines: path, min, max, types, binding, flags (S summary, M modifier), content reference.
func elementLines(d definition) (out []string) {
	for _, e := range d.Snapshot.Element {
		var types []string
		for _, t := range e.Type {
			code := t.Code
			if i := strings.LastIndexByte(code, '/'); i >= 0 { // http://hl7.org/fhirpath/System.String
				code = code[i+1:]
			}
			var targets []string
			for _, p := range t.TargetProfile {
				targets = append(targets, p[strings.LastIndexByte(p, '/')+1:])
			}
			if len(targets) > 0 {
				code += "(" + strings.Join(targets, " ") + ")"
			}
			types = append(types, code)
		}
		binding := ""
		if e.Binding.Strength == "required" {
			binding, _, _ = strings.Cut(e.Binding.ValueSet, "|")
		}
		flags := ""
		if e.IsSummary {
			flags += "S"
		}
		if e.IsModifier {
			flags += "M"
		}
		out = append(out, strings.Join([]string{e.Path, fmt.Sprint(e.Min), e.Max, strings.Join(types, "|"), binding, flags, strings.TrimPrefix(e.ContentReference, "#")}, "\t"))
	}
	return out
}

// paramLine: code, type, bases, expression, targets, components, modifiers, comparators, url.
func paramLine(d definition) string {
	var base []string
	if err := json.Unmarshal(d.Base, &base); err != nil {
		base = nil
	}
	var parts []string
	for _, c := range d.Component {
		parts = append(parts, c.Definition+" "+c.Expression)
	}
	return strings.Join([]string{
		d.Code, d.Type, strings.Join(base, " "), strings.Join(strings.Fields(d.Expression), " "), strings.Join(d.Target, " "),
		strings.Join(parts, ";"), strings.Join(d.Modifier, " "), strings.Join(d.Comparator, " "), d.URL,
	}, "\t")
}
