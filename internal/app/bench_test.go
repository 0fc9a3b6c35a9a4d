package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBench: a small run measures every line it prints, and what it compares is the same work.
func TestBench(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "cpu")
	var out, errs bytes.Buffer
	c := benchCommand()
	if err := c.call(t.Context(), Streams{Out: &out, Err: &errs}, []string{"--json", "--hoso", "20", "--ops", "25", "--profile", profile}); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	var r benchReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Claims.HOSO != 20 || r.Claims.Resources < 20*8 || r.Claims.PerSecond <= 0 || r.Claims.CPUPerHOSO <= 0 || r.Claims.Commits == 0 {
		t.Errorf("%+v", r.Claims)
	}
	sum := 0.0
	for _, m := range r.Mix {
		sum += m.PerHOSO
	}
	if diff := sum*20 - float64(r.Claims.Resources); diff > 0.5 || diff < -0.5 {
		t.Errorf("the mix adds up to %.1f resources, %d were made", sum*20, r.Claims.Resources)
	}
	if len(r.Raw) != 2 || r.Raw[0].Rows != r.Raw[1].Rows || r.Raw[0].Rows < 10*r.Claims.Resources || r.Raw[0].Share <= 0 {
		t.Errorf("%+v", r.Raw)
	}
	if len(r.Operations) != 3 {
		t.Errorf("%+v", r.Operations)
	}
	for _, o := range r.Operations {
		if o.CPU <= 0 || o.Budget <= 0 {
			t.Errorf("%+v", o)
		}
	}
	if r.Page == nil || r.Page.Visits != 300 || r.Page.Median <= 0 || r.Page.Slow < r.Page.Median {
		t.Errorf("%+v", r.Page)
	}
	if r.Bytes["claims"] == 0 || r.Bytes["database"] == 0 {
		t.Errorf("%v", r.Bytes)
	}
	var table strings.Builder
	if err := r.table(&table); err != nil || !strings.Contains(table.String(), "real ÷ raw") || strings.Contains(table.String(), "%!") {
		t.Errorf("%v\n%s", err, table.String())
	}
	if info, err := os.Stat(profile); err != nil || info.Size() == 0 {
		t.Errorf("the profile: %v", err)
	}
	for _, args := range [][]string{{"--hoso", "0"}, {"--ops", "0"}, {"fast"}} {
		if err := c.call(t.Context(), Streams{Out: &out, Err: &errs}, args); exit(Streams{Out: &out, Err: &errs}, err) != 2 {
			t.Errorf("%v: %v", args, err)
		}
	}
}
