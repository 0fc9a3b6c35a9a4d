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
	"maps"
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
	Content  string
	Concept  []concept
	Compose  struct {
		Include []include
		Exclude []json.RawMessage
	}
}

type concept struct {
	Code    string
	Concept []concept
}

type include struct {
	System           string
	Concept          []concept
	Filter, ValueSet []json.RawMessage
}

type element struct {
	Path, Max        string
	Min              int
	ContentReference string
	Representation   []string
	Type             []struct {
		Code                   string
		Profile, TargetProfile []string
	}
	Binding               struct{ Strength, ValueSet string }
	Constraint            []constraint
	IsSummary, IsModifier bool
}

// constraint is an invariant of an element.
type constraint struct{ Key, Severity, Expression, Human string }

// tables gives five tables parted by a line "--", fields parted by tabs: elements (types sorted, their
// elements in the order of the definition), search parameters, compartments, codes of required bindings, invariants.
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
	var params, compartment []string
	elements := map[string][]string{}
	bound, invariants := map[string]bool{}, map[constraint][]string{}
	sets, systems := map[string]definition{}, map[string]definition{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		kind, _, _ := strings.Cut(path.Base(h.Name), "-")
		if !slices.Contains([]string{"StructureDefinition", "SearchParameter", "ValueSet", "CodeSystem"}, kind) && !(kind == "CompartmentDefinition" && !strings.Contains(h.Name, "-example")) {
			continue
		}
		var d definition
		if err := json.NewDecoder(r).Decode(&d); err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
		switch d.ResourceType {
		case "StructureDefinition":
			if d.Derivation != "constraint" && d.Kind != "logical" {
				elements[d.Type] = elementLines(d, bound)
				addInvariants(d, invariants)
			}
		case "ValueSet":
			sets[d.URL] = d
		case "CodeSystem":
			systems[d.URL] = d
		case "SearchParameter":
			params = append(params, paramLine(d))
		case "CompartmentDefinition":
			for _, res := range d.Resource {
				if len(res.Param) > 0 {
					compartment = append(compartment, d.Code+"\t"+res.Code+"\t"+strings.Join(res.Param, " "))
				}
			}
		}
	}
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(elements)) {
		for _, l := range elements[name] {
			b.WriteString(l + "\n")
		}
	}
	codes, err := codeLines(bound, sets, systems)
	if err != nil {
		return nil, err
	}
	for _, t := range [][]string{params, compartment, codes, invariantLines(invariants)} {
		b.WriteString("--\n")
		slices.Sort(t)
		for _, l := range t {
			b.WriteString(l + "\n")
		}
	}
	return b.Bytes(), nil
}

// codeLines: value set, then a group per code system: its URL and its codes, parted by "|", groups by tabs.
// A set whose codes the package does not hold (UCUM, media types, currencies) has no line.
func codeLines(bound map[string]bool, sets, systems map[string]definition) (out []string, err error) {
	for url := range bound {
		set, ok := sets[url]
		line := []string{url}
		for _, in := range set.Compose.Include {
			concepts := in.Concept
			if s := systems[in.System]; len(concepts) == 0 && s.Content == "complete" {
				concepts = s.Concept
			}
			codes := codesOf(concepts, nil)
			ok = ok && len(codes) > 0 && len(in.Filter) == 0 && len(in.ValueSet) == 0
			for _, c := range codes {
				if strings.ContainsAny(c, "|\t\n") {
					return nil, fmt.Errorf("%s: code %q holds a separator", url, c)
				}
			}
			line = append(line, in.System+"|"+strings.Join(codes, "|"))
		}
		if ok && len(set.Compose.Exclude) == 0 {
			out = append(out, strings.Join(line, "\t"))
		}
	}
	return out, nil
}

func codesOf(concepts []concept, out []string) []string {
	for _, c := range concepts {
		out = codesOf(c.Concept, append(out, c.Code))
	}
	return out
}

// elementLines: path, min, max, types, binding, flags (S summary, M modifier, A attribute in XML, Q SimpleQuantity), content reference.
// What is bound to required codes is noted in bound.
func elementLines(d definition, bound map[string]bool) (out []string) {
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
			bound[binding] = true
		}
		flags := ""
		if e.IsSummary {
			flags += "S"
		}
		if e.IsModifier {
			flags += "M"
		}
		if slices.Contains(e.Representation, "xmlAttr") {
			flags += "A"
		}
		for _, t := range e.Type {
			if slices.Contains(t.Profile, "http://hl7.org/fhir/StructureDefinition/SimpleQuantity") {
				flags += "Q"
			}
		}
		out = append(out, strings.Join([]string{e.Path, fmt.Sprint(e.Min), e.Max, strings.Join(types, "|"), binding, flags, strings.TrimPrefix(e.ContentReference, "#")}, "\t"))
	}
	return out
}

// addInvariants notes where each constraint stands. Those of Element, Extension and
// DomainResource stand in every snapshot and are noted once.
func addInvariants(d definition, at map[constraint][]string) {
	for _, e := range d.Snapshot.Element {
		for _, c := range e.Constraint {
			c.Expression, c.Human = strings.Join(strings.Fields(c.Expression), " "), strings.Join(strings.Fields(c.Human), " ")
			path := e.Path
			switch prefix, _, _ := strings.Cut(c.Key, "-"); {
			case prefix == "ele":
				path = "Element"
			case prefix == "ext":
				path = "Extension"
			case prefix == "dom":
				path = "DomainResource"
			}
			if !slices.Contains(at[c], path) {
				at[c] = append(at[c], path)
			}
		}
	}
}

// invariantLines: key, severity, expression, human description, paths.
func invariantLines(at map[constraint][]string) (out []string) {
	for c, paths := range at {
		slices.Sort(paths)
		out = append(out, strings.Join([]string{c.Key, c.Severity, c.Expression, c.Human, strings.Join(paths, " ")}, "\t"))
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
