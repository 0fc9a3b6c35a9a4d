package pack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
)

const manifest = `{"name":"vn.test","version":"1.2.0","fhirVersions":["4.0.1"],"dependencies":{"hl7.fhir.r4.core":"4.0.1"}}`

type file struct {
	name, body string
	kind       byte
}

func archive(files ...file) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.body)), Typeflag: tar.TypeReg}
		if f.kind != 0 {
			h.Typeflag, h.Linkname, h.Size = f.kind, "/etc/passwd", 0
		}
		if w.WriteHeader(h) == nil && f.kind == 0 {
			_, _ = w.Write([]byte(f.body))
		}
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

func set(version string) string {
	return `{"resourceType":"ValueSet","url":"urn:vs","version":"` + version + `","status":"active"}`
}

func TestRead(t *testing.T) {
	l, err := Read(bytes.NewReader(archive(file{"package/a.json", set("1.10.0"), 0}, file{"package/package.json", "\uFEFF" + manifest, 0}, file{"package/.index.json", "{}", 0},
		file{"package/b.json", set("1.9.0"), 0}, file{"package/c.json", set("1.9.0"), 0}, file{"package/example/p.json", `{"resourceType":"Patient"}`, 0},
		file{"package/p.json", `{"resourceType":"Patient","id":"x"}`, 0}, file{"package/other/readme.md", "x", 0}, file{"package", "", tar.TypeDir})), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if l.Name != "vn.test" || l.Version != "1.2.0" || len(l.Resources) != 2 || l.Others != 2 || l.Dependencies[0] != "hl7.fhir.r4.core#4.0.1" {
		t.Errorf("%+v", l)
	}
	for _, c := range []struct{ typ, version, want string }{{"ValueSet", "", "1.10.0"}, {"", "1.9.0", "1.9.0"}, {"CodeSystem", "", ""}, {"", "2", ""}} {
		d, err := l.Find(t.Context(), c.typ, "urn:vs", c.version)
		if err != nil || d == nil && c.want != "" || d != nil && d.Root().Get("version").Text() != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestHostile: what is no package, or would be one of another kind, is refused with its reason.
func TestHostile(t *testing.T) {
	ok := file{"package/package.json", manifest, 0}
	small := Limits{Total: 1 << 19, File: 1 << 16, Files: 10}
	many := []file{ok}
	for range 20 {
		many = append(many, file{"package/x.txt", "x", 0})
	}
	good := archive(ok, file{"package/a.json", set("1"), 0})
	for name, c := range map[string]struct {
		body []byte
		kind outcome.Kind
	}{
		"empty":     {nil, outcome.Invalid},
		"no gzip":   {[]byte("PK\x03\x04 zip"), outcome.Invalid},
		"cut off":   {good[:len(good)-20], outcome.Invalid},
		"path":      {archive(ok, file{"package/../../etc/x.json", "{}", 0}), outcome.Invalid},
		"absolute":  {archive(ok, file{"/package/x.json", set("1"), 0}), outcome.Invalid},
		"backslash": {archive(ok, file{`package\..\..\x.json`, set("1"), 0}), outcome.Invalid},
		"drive":     {archive(ok, file{`C:\x.json`, set("1"), 0}), outcome.Invalid},
		"symlink":   {archive(ok, file{"package/x.json", "", tar.TypeSymlink}), outcome.Invalid},
		"hardlink":  {archive(ok, file{"package/x.json", "", tar.TypeLink}), outcome.Invalid},
		"device":    {archive(ok, file{"package/x.json", "", tar.TypeChar}), outcome.Invalid},
		"big file":  {archive(ok, file{"package/x.txt", strings.Repeat("x", 1<<17), 0}), outcome.TooLong},
		"many":      {archive(many...), outcome.TooLong},
		"bomb":      {bomb(), outcome.TooLong},
		"no name":   {archive(file{"package/a.json", set("1"), 0}), outcome.Required},
		"bad name":  {archive(file{"package/package.json", `{"name":1}`, 0}), outcome.Required},
		"R5":        {archive(file{"package/package.json", strings.Replace(manifest, "4.0.1\"]", "5.0.0\"]", 1), 0}), outcome.NotSupported},
		"R4B":       {archive(file{"package/package.json", strings.Replace(manifest, "4.0.1\"]", "4.3.0\"]", 1), 0}), outcome.NotSupported},
		"bad JSON":  {archive(ok, file{"package/a.json", `{"resourceType":"ValueSet",}`, 0}), outcome.Structure},
	} {
		l, err := Read(bytes.NewReader(c.body), small)
		if err == nil || outcome.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want %s", name, err, c.kind)
		}
		if err != nil && l != nil {
			t.Errorf("%s: a library beside the error", name)
		}
	}
}

// bomb is a small archive of many files that are each within bounds.
func bomb() []byte {
	files := []file{}
	for range 9 {
		files = append(files, file{"package/x.txt", strings.Repeat("0", 1<<16), 0})
	}
	return archive(files...)
}

// TestOfficialPackage: the package of R4 itself is read whole.
func TestOfficialPackage(t *testing.T) {
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	f, err := os.Open(filepath.Join(dir, "spec-packages", "hl7.fhir.r4.core-4.0.1.tgz"))
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("YTSO_TEST_REQUIRE") == "" {
		t.Skip("the official package is not beside the project (YTSO_CONFORMANCE)")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := Read(f, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if l.Name != "hl7.fhir.r4.core" || len(l.Resources) < 4500 {
		t.Errorf("%s with %d definitions", l.Name, len(l.Resources))
	}
	if d, err := l.Find(t.Context(), "StructureDefinition", "http://hl7.org/fhir/StructureDefinition/Patient", "4.0.1"); d == nil || err != nil {
		t.Errorf("Patient: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(archive(file{"package/package.json", manifest, 0}, file{"package/a.json", set("1"), 0}))
	f.Add(archive(file{"package/x.json", "", tar.TypeSymlink}))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Read(bytes.NewReader(b), Limits{Total: 1 << 20, File: 1 << 18, Files: 100})
		if (l == nil) == (err == nil) {
			t.Fatalf("%v %v", l, err)
		}
	})
}
