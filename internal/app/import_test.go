package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/internal/synth/fault"
)

var counted = regexp.MustCompile(`(\d+) of (\d+) files: (\d+) known from before, (\d+) refused whole\s+HOSO: (\d+) stored, (\d+) refused, (\d+) unchanged, (\d+) older than what stands, (\d+) failed\s+FHIR: (\d+) resources written, (\d+) unchanged`)

// figures are the numbers of the English summary.
type figures struct{ Done, Files, Known, Whole, Stored, Refused, Unchanged, Older, Failed, Written, Same int }

func figuresOf(t testing.TB, out string) (f figures) {
	t.Helper()
	m := counted.FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no summary in %s", out)
	}
	for i, dest := range []*int{&f.Done, &f.Files, &f.Known, &f.Whole, &f.Stored, &f.Refused, &f.Unchanged, &f.Older, &f.Failed, &f.Written, &f.Same} {
		*dest, _ = strconv.Atoi(m[i+1])
	}
	return f
}

// TestImportTwice: the first time everything is stored, the second time it is
// known, beside a running server and alone, on both engines.
func TestImportTwice(t *testing.T) {
	files := filepath.Join(t.TempDir(), "province")
	if code, out, errs := call(t, "generate", "--people", "3", "--until", "2025-09-01", "--out", files); code != 0 {
		t.Fatalf("%s%s", out, errs)
	}
	files = filepath.Join(files, "claims")
	list, err := importable([]string{files})
	if err != nil || len(list) < 5 {
		t.Fatalf("%d files, %v", len(list), err)
	}
	for _, engine := range engines {
		for _, bulk := range []bool{false, true} {
			t.Run(engine+"/bulk="+strconv.FormatBool(bulk), func(t *testing.T) {
				p := newPlace(t, engine)
				args := append([]string{"import", files}, p.args()...)
				if bulk {
					args = append(args, "--bulk")
				}
				code, out, errs := call(t, args...)
				if got, want := figuresOf(t, out), (figures{Done: len(list), Files: len(list), Stored: len(list)}); code != 0 || got != want {
					t.Errorf("first: exit %d %+v, want %+v: %s%s", code, got, want, out, errs)
				}
				n := openNode(t, p) // now beside a server
				code, out, errs = call(t, args...)
				if engine == "postgres" {
					errs = ""
				}
				if got, want := figuresOf(t, out), (figures{Done: len(list), Files: len(list), Known: len(list)}); code != 0 || got != want || errs != "" {
					t.Errorf("second: exit %d %+v, want %+v: %s%s", code, got, want, out, errs)
				}
				if got := rowsOf(t, n, `SELECT state FROM claims_receipt WHERE state <> 'done'`, 1); len(got) > 0 {
					t.Errorf("not done: %v", got)
				}
			})
		}
	}
}

// TestImportRefuses: what is wrong is said and ends in exit code 1, and what is good beside it is stored.
func TestImportRefuses(t *testing.T) {
	dir := t.TempDir()
	if code, _, errs := call(t, "generate", "--people", "2", "--until", "2025-08-15", "--out", filepath.Join(dir, "good")); code != 0 {
		t.Fatal(errs)
	}
	if err := os.RemoveAll(filepath.Join(dir, "good", "fhir")); err != nil {
		t.Fatal(err)
	}
	list, err := importable([]string{dir})
	if err != nil || len(list) == 0 {
		t.Fatalf("%v %v", list, err)
	}
	clean, err := os.ReadFile(list[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range fault.Kinds {
		if k.Name == "medicine-amount" || k.Name == "cut-off" {
			broken, _, ok := fault.Plant(k, 1, clean)
			if !ok {
				t.Fatalf("%s finds no place", k.Name)
			}
			write(t, filepath.Join(dir, "bad", k.Name+".xml"), string(broken))
		}
	}
	write(t, filepath.Join(dir, "bad", "fhir.xml"), `<Patient xmlns="http://hl7.org/fhir"><id value="x"/></Patient>`)
	write(t, filepath.Join(dir, "bad", "no-id.json"), `{"resourceType":"Organization","name":"Không tên"}`)
	write(t, filepath.Join(dir, "bad", "torn.json"), `{"resourceType":"Organization",`)
	write(t, filepath.Join(dir, "notes.txt"), "not for import")
	code, out, errs := call(t, append([]string{"import", dir}, newPlace(t, "sqlite").args()...)...)
	got := figuresOf(t, out)
	if want := (figures{Done: len(list) + 5, Files: len(list) + 5, Whole: 3, Stored: len(list), Refused: 1, Written: 1}); code != 1 || got != want {
		t.Errorf("exit %d %+v, want %+v: %s%s", code, got, want, out, errs)
	}
	for _, word := range []string{"without id", "line 1, column 32", "ends before its end", "1 HOSO refused"} {
		if !strings.Contains(out, word) {
			t.Errorf("it does not say %q: %s", word, out)
		}
	}
}

// TestImportOddFiles: what cannot be read is said and skipped; its neighbours come in.
func TestImportOddFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b.json"), `{"resourceType":"Organization","id":"b","name":"Trạm Y tế Ví Dụ"}`)
	write(t, filepath.Join(dir, "sub", "z.json"), `{"resourceType":"Organization","id":"z","name":"Trạm Y tế Ví Dụ 2"}`)
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	link("nowhere", "a-dangling.xml")
	link("sub", "a-folder.xml")
	link(os.DevNull, "a-device.json")
	big, err := os.Create(filepath.Join(dir, "a-big.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(big.Truncate(maxImport+1), big.Close()); err != nil { // takes no room on the disk
		t.Fatal(err)
	}
	code, out, errs := call(t, append([]string{"import", dir}, newPlace(t, "sqlite").args()...)...)
	if got, want := figuresOf(t, out), (figures{Done: 6, Files: 6, Whole: 4, Written: 2}); code != 1 || got != want {
		t.Errorf("exit %d %+v, want %+v: %s%s", code, got, want, out, errs)
	}
	for _, word := range []string{"a-dangling.xml: Không đọc được", "a-folder.xml: Không phải tệp", "a-device.json: Không phải tệp", "a-big.xml: Tệp lớn hơn"} {
		if !strings.Contains(out, word) {
			t.Errorf("it does not say %q: %s", word, out)
		}
	}
	if code, _, errs := call(t, append([]string{"import", filepath.Join(dir, "not-there")}, newPlace(t, "sqlite").args()...)...); code != 1 || !strings.Contains(errs, "not-there") {
		t.Errorf("a name that is not there: exit %d %s", code, errs)
	}
}

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestImportFHIR: a resource, a Bundle and one resource a line; the second time nothing changes. A Patient gets its person.
func TestImportFHIR(t *testing.T) {
	dir, p := t.TempDir(), newPlace(t, "sqlite")
	org := func(id string) string {
		return `{"resourceType":"Organization","id":"` + id + `","name":"Trạm y tế ` + id + `"}`
	}
	write(t, filepath.Join(dir, "one.json"), org("a"))
	write(t, filepath.Join(dir, "many.ndjson"), org("b")+"\n"+org("c")+"\n")
	write(t, filepath.Join(dir, "bundle.json"), `{"resourceType":"Bundle","type":"collection","entry":[{"resource":`+org("d")+`},
		{"resource":{"resourceType":"Patient","id":"p1","name":[{"text":"Lò Thị Thử"}]}}]}`)
	args := append([]string{"import", dir, "--facility", "25001"}, p.args()...)
	for i, want := range []figures{{Done: 3, Files: 3, Written: 5}, {Done: 3, Files: 3, Same: 5}} {
		code, out, errs := call(t, args...)
		if got := figuresOf(t, out); code != 0 || got != want {
			t.Errorf("time %d: exit %d %+v, want %+v: %s%s", i+1, code, got, want, out, errs)
		}
	}
	n := openNode(t, p)
	if got := rowsOf(t, n, `SELECT source FROM ident_link`, 1); len(got) != 1 || got[0][0] != "p1" {
		t.Errorf("linked: %v", got)
	}
	write(t, filepath.Join(dir, "bad.json"), `{"resourceType":"Bundle","entry":[{"request":{"method":"DELETE","url":"Organization/a"}}]}`)
	if code, out, _ := call(t, args...); code != 1 || !strings.Contains(out, "bad.json:1: ") || !strings.Contains(out, "deletes, patches or refers to urn:uuid") {
		t.Errorf("exit %d %s", code, out)
	}
}

// TestImportLines: a line that is wrong is told by its number and why, and keeps no other out; XML as well.
func TestImportLines(t *testing.T) {
	dir, p := t.TempDir(), newPlace(t, "sqlite")
	write(t, filepath.Join(dir, "many.ndjson"), `{"resourceType":"Organization","id":"a","name":"Trạm y tế A"}
{"resourceType":"Organization","id":"b","nonsense":1}

{"resourceType":"Organization","id":"c",
{"resourceType":"Patient","id":"d","gender":"đàn bà"}
{"resourceType":"Organization","id":"e","name":"Trạm y tế E"}
`)
	write(t, filepath.Join(dir, "p.xml"), `<Organization xmlns="http://hl7.org/fhir"><id value="x"/><name value="Trạm y tế X"/></Organization>`)
	code, out, errs := call(t, append([]string{"import", dir}, p.args()...)...)
	if got, want := figuresOf(t, out), (figures{Done: 2, Files: 2, Written: 3}); code != 1 || got != want {
		t.Errorf("exit %d %+v, want %+v: %s%s", code, got, want, out, errs)
	}
	for _, place := range []string{"many.ndjson:2: ", "many.ndjson:4: ", "many.ndjson:5: ", `no element "nonsense"`, "Patient.gender", "3 refused"} {
		if !strings.Contains(out, place) {
			t.Errorf("%q is not said: %s", place, out)
		}
	}
}

// TestImportGoesOn: an import that is broken off leaves nothing half, and the next one finishes it.
func TestImportGoesOn(t *testing.T) {
	files := filepath.Join(t.TempDir(), "province")
	if code, _, errs := call(t, "generate", "--people", "8", "--until", "2025-10-01", "--out", files); code != 0 {
		t.Fatal(errs)
	}
	files = filepath.Join(files, "claims")
	p := newPlace(t, "sqlite")
	args := append([]string{"import", files}, p.args()...)
	ctx, stop := context.WithCancel(t.Context())
	var out words
	done := make(chan int)
	go func() { done <- Main(ctx, args, Streams{Out: &out, Err: testLog{t}}) }()
	for !exists(filepath.Join(p.data, "ytso.db")) {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(500 * time.Millisecond)
	stop()
	first := figuresOf(t, func() string { <-done; return out.String() }())
	code, text, errs := call(t, args...)
	second := figuresOf(t, text)
	t.Logf("broken off after %d of %d files", first.Done, first.Files)
	if code != 0 || second.Done != second.Files || second.Known+second.Stored+second.Unchanged != second.Files {
		t.Errorf("exit %d %+v: %s", code, second, errs)
	}
	n := openNode(t, p)
	if got := rowsOf(t, n, `SELECT ma_lk FROM claims_current WHERE canon <> ''`, 1); len(got) != second.Files {
		t.Errorf("%d visits stand of %d files", len(got), second.Files)
	}
}
