// Package pack reads FHIR packages: gzipped archives of npm's form with a
// package.json and definitions as JSON files in the folder "package". What is
// read is a canon.Source. Nothing is unpacked to disk; whatever a hostile
// archive holds (paths that lead out, links, devices, bombs) is refused.
//
// Source: FHIR packages.html (https://hl7.org/fhir/packages.html), confluence
// "NPM Package Specification"; FHIR R4 references.html#canonical.
package pack

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Limits bound what a package may hold, in bytes unpacked and in files. Zero fields are those of Usual.
type Limits struct {
	Total, File int64
	Files       int
}

// Usual are limits that every published package of definitions keeps.
var Usual = Limits{Total: 512 << 20, File: 64 << 20, Files: 50_000}

// Library is a package that was read.
type Library struct {
	Name, Version, Title, Canonical string
	FHIRVersions                    []string
	Dependencies                    []string // "name#version", sorted
	Resources                       []Resource
	// Others counts files that are no definitions: examples, resources without url.
	Others int
	index  map[string][]int // url → Resources, oldest version first
}

// Resource is one definition of a package.
type Resource struct {
	Type, URL, Version, File string
	Body                     []byte
}

func fault(kind outcome.Kind, key, vi, en string) *outcome.Error {
	return outcome.New(kind, "pack."+key, vi, en)
}

var (
	errFormat = fault(outcome.Invalid, "format", "Tệp không phải gói FHIR (.tgz).", "The file is no FHIR package (.tgz).")
	errName   = fault(outcome.Required, "manifest", "Gói không có package.json với name và version.", "The package has no package.json with name and version.")
	errSize   = fault(outcome.TooLong, "size", "Gói giải nén quá lớn hoặc có quá nhiều tệp.", "The package is too large when unpacked, or has too many files.")
	errMember = fault(outcome.Invalid, "member", "Gói chứa đường dẫn ra ngoài, liên kết hoặc tệp đặc biệt.", "The package holds a path that leads out of it, a link or a special file.")
)

// Read reads a package for FHIR R4. outcome.Invalid when it is no package,
// outcome.TooLong beyond the limits, outcome.NotSupported for another FHIR
// version, outcome.Structure with the name of the file when a definition can't be read.
func Read(r io.Reader, limits Limits) (l *Library, err error) {
	defer outcome.Wrap(&err, "pack.Read")
	limits.Total, limits.File, limits.Files = cmp.Or(limits.Total, Usual.Total), cmp.Or(limits.File, Usual.File), cmp.Or(limits.Files, Usual.Files)
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, errFormat.Because(err)
	}
	l = &Library{index: map[string][]int{}}
	bound := &bounded{r: z, left: limits.Total}
	archive := tar.NewReader(bound)
	for n := 0; ; n++ {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err == nil && (n >= limits.Files || h.Size > limits.File) {
			err = errSize
		}
		if err == nil {
			err = l.member(h, archive)
		}
		if err != nil {
			return nil, readable(err)
		}
	}
	if err := l.finish(); err != nil {
		return nil, err
	}
	return l, nil
}

// readable makes an error of the archive one of the package.
func readable(err error) error {
	var e *outcome.Error
	if errors.As(err, &e) {
		return err
	}
	return errFormat.Because(err)
}

// bounded reads no more than it may.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errSize
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// member takes in one file of the archive. Folders below "package" hold examples and pages.
func (l *Library) member(h *tar.Header, r io.Reader) error {
	name := path.Clean(strings.ReplaceAll(h.Name, `\`, "/"))
	switch {
	case path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") || strings.Contains(h.Name, ":") || strings.Contains(h.Name, "\x00"):
		return errMember
	case h.Typeflag == tar.TypeDir, h.Typeflag == tar.TypeXGlobalHeader:
		return nil
	case h.Typeflag != tar.TypeReg:
		return errMember
	}
	dir, file := path.Split(name)
	switch {
	case dir != "package/" || path.Ext(file) != ".json" || strings.HasPrefix(file, "."):
		if dir != "package/" && path.Ext(file) == ".json" {
			l.Others++
		}
		return nil
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if file == "package.json" {
		return l.manifest(body)
	}
	return l.add(file, bytes.TrimPrefix(body, []byte("\uFEFF")))
}

func (l *Library) manifest(body []byte) error {
	var m struct {
		Name, Version, Title, Canonical string
		FHIRVersions                    []string
		List                            []string `json:"fhir-version-list"`
		Dependencies                    map[string]string
	}
	if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\uFEFF")), &m); err != nil {
		return errName.Because(err)
	}
	l.Name, l.Version, l.Title, l.Canonical = m.Name, m.Version, m.Title, m.Canonical
	l.FHIRVersions = m.FHIRVersions
	if len(l.FHIRVersions) == 0 {
		l.FHIRVersions = m.List
	}
	for name, version := range m.Dependencies {
		l.Dependencies = append(l.Dependencies, name+"#"+version)
	}
	slices.Sort(l.Dependencies)
	return nil
}

func (l *Library) add(file string, body []byte) error {
	doc, err := r4.Parse(body)
	if err != nil {
		e := outcome.As(err)
		return fault(outcome.Structure, "resource", fmt.Sprintf("Tệp %.100s trong gói: %s", file, e.VI), fmt.Sprintf("File %.100s in the package: %s", file, e.EN)).Because(err)
	}
	root := doc.Root()
	res := Resource{Type: doc.Type(), URL: root.Get("url").Text(), Version: root.Get("version").Text(), File: file, Body: body}
	if res.URL == "" || !r4.IsResource(res.Type) {
		l.Others++
		return nil
	}
	l.Resources = append(l.Resources, res)
	return nil
}

// finish sorts what was read. Of a definition that stands twice the first file counts.
func (l *Library) finish() error {
	switch {
	case l.Name == "" || l.Version == "":
		return errName
	case !slices.ContainsFunc(l.FHIRVersions, func(v string) bool { return v == "4.0" || strings.HasPrefix(v, "4.0.") }):
		return fault(outcome.NotSupported, "version",
			fmt.Sprintf("Gói dành cho FHIR %.60s; máy chủ này dùng FHIR 4.0.1.", strings.Join(l.FHIRVersions, ", ")),
			fmt.Sprintf("The package is for FHIR %.60s; this server speaks FHIR 4.0.1.", strings.Join(l.FHIRVersions, ", ")))
	}
	slices.SortStableFunc(l.Resources, func(a, b Resource) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.URL, b.URL), canon.Compare(a.Version, b.Version), strings.Compare(a.Version, b.Version), strings.Compare(a.File, b.File))
	})
	l.Resources = slices.CompactFunc(l.Resources, func(a, b Resource) bool { return a.Type == b.Type && a.URL == b.URL && a.Version == b.Version })
	for i, r := range l.Resources {
		l.index[r.URL] = append(l.index[r.URL], i)
	}
	return nil
}

// Find is described at canon.Source.
func (l *Library) Find(_ context.Context, typ, url, version string) (*r4.Doc, error) {
	list := l.index[url]
	for _, i := range slices.Backward(list) {
		if r := &l.Resources[i]; (typ == "" || r.Type == typ) && (version == "" || r.Version == version) {
			return r4.Parse(r.Body)
		}
	}
	return nil, nil
}
