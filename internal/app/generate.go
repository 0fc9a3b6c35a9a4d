package app

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/synth/bundle"
	"github.com/ytso/ytso/internal/synth/fault"
	"github.com/ytso/ytso/vn/claim"
)

func generateCommand() command {
	return command{
		name:    "generate",
		summary: "invented people and their visits as claim files and FHIR bundles; same seed, same bytes",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			g := generator{}
			f.IntVar(&g.people, "people", 300, "number of people")
			f.Uint64Var(&g.seed, "seed", 1, "another seed is another province")
			f.StringVar(&g.until, "until", synth.DefaultUntil.Format(time.DateOnly), "last day, yyyy-mm-dd")
			f.StringVar(&g.out, "out", "", "folder to write into (it must be new or empty)")
			f.BoolVar(&g.faults, "faults", false, "also write spoilt files, with a list of what was planted where (faults.jsonl)")
			return g.run
		},
	}
}

type generator struct {
	people     int
	seed       uint64
	until, out string
	faults     bool
}

func (g *generator) run(ctx context.Context, std Streams, args []string) error {
	until, err := time.ParseInLocation(time.DateOnly, g.until, claim.VietNam)
	switch {
	case len(args) > 0:
		return usagef("generate takes no word %q", args[0])
	case g.out == "":
		return usagef("generate needs --out FOLDER")
	case g.people < 1:
		return usagef("--people wants at least 1")
	case err != nil:
		return usagef("--until wants yyyy-mm-dd, not %q", g.until)
	}
	if list, err := os.ReadDir(g.out); err == nil && len(list) > 0 {
		return usagef("%s is not empty", g.out)
	}
	p := synth.New(synth.Options{People: g.people, Seed: g.seed, Until: until})
	n, err := p.WriteDir(ctx, filepath.Join(g.out, "claims"))
	if err != nil {
		return err
	}
	fmt.Fprintf(std.Out, "%d claim files of %d people below %s\n", n, g.people, filepath.Join(g.out, "claims"))
	if n, err = bundle.WriteDir(ctx, p, g.seed, filepath.Join(g.out, "fhir")); err != nil {
		return err
	}
	fmt.Fprintf(std.Out, "%d FHIR bundles of the same visits below %s\n", n, filepath.Join(g.out, "fhir"))
	if !g.faults {
		return nil
	}
	n, err = writeFaults(ctx, p, g.seed, filepath.Join(g.out, "faults"))
	if err == nil {
		fmt.Fprintf(std.Out, "%d spoilt files below %s, listed in faults.jsonl\n", n, filepath.Join(g.out, "faults"))
	}
	return err
}

// perKind is how many files of each kind of fault are written, where the province has so many that fit.
const perKind = 5

// writeFaults spoils files by each kind and lists what was planted where, one JSON object a line.
func writeFaults(ctx context.Context, p *synth.Province, seed uint64, dir string) (n int, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	list, err := os.Create(filepath.Join(dir, "faults.jsonl"))
	if err != nil {
		return 0, err
	}
	defer list.Close()
	lines := json.NewEncoder(list)
	left := make([]int, len(fault.Kinds))
	for f := range p.Files() {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		clean, err := claim.Encode(f.Claim)
		if err != nil {
			return n, err
		}
		full := true
		for i, k := range fault.Kinds {
			if left[i] == perKind {
				continue
			}
			full = false
			broken, planted, ok := fault.Plant(k, seed+uint64(n), clean)
			if !ok {
				continue
			}
			left[i]++
			n++
			name := filepath.Join(k.Name, f.Name)
			if err := os.MkdirAll(filepath.Join(dir, k.Name), 0o755); err != nil {
				return n, err
			}
			if err := os.WriteFile(filepath.Join(dir, name), broken, 0o644); err != nil {
				return n, err
			}
			err := lines.Encode(struct {
				File   string   `json:"file"`
				Words  string   `json:"words"`
				Expect []string `json:"expect"`
				Whole  string   `json:"refused,omitempty"`
				fault.Planted
			}{filepath.ToSlash(name), k.Words, k.Expect, k.Whole, planted})
			if err != nil {
				return n, err
			}
		}
		if full {
			break
		}
	}
	return n, list.Close()
}
