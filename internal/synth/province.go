package synth

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ytso/ytso/vn/claim"
)

// Options of a province. The zero value of Seed and Until means the default.
type Options struct {
	People int
	Seed   uint64    // default 1
	Until  time.Time // last day, exclusive; default 30 June 2026
}

// DefaultUntil is a fixed day, so that the same call gives the same bytes in any year.
var DefaultUntil = time.Date(2026, 6, 30, 0, 0, 0, 0, begin.Location())

// Province is an invented province.
type Province struct{ opt Options }

// New makes a province; it holds nothing but its options.
func New(opt Options) *Province {
	if opt.Seed == 0 {
		opt.Seed = 1
	}
	if opt.Until.IsZero() {
		opt.Until = DefaultUntil
	}
	return &Province{opt}
}

// File is a claim file with one visit.
type File struct {
	Name     string // day_facility_MA_LK.xml
	Facility string
	Sent     time.Time
	Claim    *claim.File
}

// Files gives all claim files in the order in which they are sent. Only the
// plan of the visits is held in memory (some 100 bytes a visit); each file is
// written out as it is asked for.
func (p *Province) Files() iter.Seq[File] {
	return func(yield func(File) bool) {
		var all []planned
		for i := range p.opt.People {
			all = append(all, p.plan(p.Person(i))...)
		}
		slices.SortStableFunc(all, func(a, b planned) int {
			return cmp.Or(a.in.Compare(b.in), cmp.Compare(a.person, b.person))
		})
		for _, v := range all {
			if !yield(p.file(v)) {
				return
			}
		}
	}
}

// WriteDir writes every file below a folder, one folder a facility, and says how many.
func (p *Province) WriteDir(ctx context.Context, dir string) (n int, err error) {
	for f := range p.Files() {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		b, err := claim.Encode(f.Claim)
		if err != nil {
			return n, fmt.Errorf("%s: %w", f.Name, err)
		}
		path := filepath.Join(dir, f.Facility, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return n, err
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
