package bundle

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/vn/claim"
)

func write(t *testing.T, opt synth.Options) map[string]string {
	t.Helper()
	dir := t.TempDir()
	n, err := WriteDir(t.Context(), synth.New(opt), opt.Seed, dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		files[path] = string(b)
		return err
	})
	if err != nil || len(files) != n {
		t.Fatalf("%d files, %d written, %v", len(files), n, err)
	}
	return files
}

// TestFHIRBundles: one transaction a claim file, each resource put under its
// own id; the same seed gives the same bytes and another seed other ids.
func TestFHIRBundles(t *testing.T) {
	opt := synth.Options{Seed: 1, People: 6, Until: time.Date(2025, 8, 15, 0, 0, 0, 0, claim.VietNam)}
	files := write(t, opt)
	claims := 0
	for range synth.New(opt).Files() {
		claims++
	}
	if len(files) != claims || claims == 0 {
		t.Errorf("%d bundles of %d claim files", len(files), claims)
	}
	ids := map[string]bool{}
	for name, text := range files {
		var b struct {
			ResourceType, Type string
			Entry              []struct {
				Resource struct{ ResourceType, ID string }
				Request  struct{ Method, URL string }
			}
		}
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		types := map[string]bool{}
		for _, e := range b.Entry {
			types[e.Resource.ResourceType] = true
			ids[e.Request.URL] = true
			if e.Request.Method != "PUT" || e.Request.URL != e.Resource.ResourceType+"/"+e.Resource.ID || e.Resource.ID == "" {
				t.Errorf("%s: %+v", name, e)
			}
		}
		if b.ResourceType != "Bundle" || b.Type != "transaction" || !types["Patient"] || !types["Encounter"] || !types["Claim"] {
			t.Errorf("%s: %s %s of %v", name, b.ResourceType, b.Type, types)
		}
	}
	if !maps.Equal(files, write(t, opt)) {
		t.Error("the same options gave other bytes")
	}
	opt.Seed = 2
	for _, text := range write(t, opt) {
		var b struct {
			Entry []struct{ Request struct{ URL string } }
		}
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			t.Fatal(err)
		}
		for _, e := range b.Entry {
			if ids[e.Request.URL] {
				t.Errorf("another province has the same %s", e.Request.URL)
			}
		}
	}
}
