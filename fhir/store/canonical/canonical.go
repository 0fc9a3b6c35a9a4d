// Package canonical finds the definitions that a fhir/store keeps, by their
// canonical url: what packages brought, what was loaded from lists, what
// clients wrote. It is a canon.Source, and knows supplements of code systems and the
// concepts of large ones for package term.
//
// A code system of tens of thousands of concepts would be one giant resource
// with an index entry for each, rewritten as a whole with every change; its
// resource therefore carries everything but the concepts (content "not-present",
// with their count), and these lie beside it in parts, in the table canonical_part, in the
// same transaction. They are compiled into memory when first asked for.
//
// Source: FHIR R4 references.html#canonical, resource.html#versions.
package canonical

import (
	"context"
	"embed"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

//go:embed migrations
var migrations embed.FS

// Name is the name under which the migrations are numbered, and the prefix of the table.
const Name = "canonical"

// Migrations are those of the table of parts.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

// Types are the resource types that a canonical names, in the order in which
// Find looks through them when no type is said (FHIR R4 references.html#canonical).
var Types = []string{
	"StructureDefinition", "ValueSet", "CodeSystem", "SearchParameter", "Questionnaire", "ConceptMap", "OperationDefinition", "CapabilityStatement",
	"ImplementationGuide", "Library", "Measure", "PlanDefinition", "ActivityDefinition", "MessageDefinition", "GraphDefinition",
	"CompartmentDefinition", "StructureMap", "NamingSystem", "ExampleScenario", "TestScript", "TerminologyCapabilities",
}

// Source finds what a store keeps. Answers are kept, also that there is none, until Forget.
type Source struct {
	store  store.Store
	access func() (store.Access, error)
	kept   atomic.Pointer[found]
}

type found struct {
	docs  sync.Map // typ + "\n" + url + "|" + version → *r4.Doc or nil
	count atomic.Int64
}

// maxKept bounds what is kept, since canonicals come from callers as well.
const maxKept = 5000

// New makes a Source; access is the right under which it reads. It opens a
// View of its own: inside of an Update it sees what was there before.
func New(s store.Store, access func() (store.Access, error)) *Source {
	c := &Source{store: s, access: access}
	c.Forget()
	return c
}

// Forget lets go of what was found: to be called when definitions were written.
func (s *Source) Forget() { s.kept.Store(new(found)) }

// Find is described at canon.Source. The newest version is that of the highest
// business version, among equal ones the one written last.
func (s *Source) Find(ctx context.Context, typ, url, version string) (doc *r4.Doc, err error) {
	defer outcome.Wrap(&err, "canonical.Find")
	return s.find(ctx, typ, url, "|"+version, func(got string) bool { return version == "" || got == version })
}

// FindOn gives the version that held on a day, where versions are days
// (yyyy-mm-dd): the last one that is no later (term.Dated). nil when there is none.
func (s *Source) FindOn(ctx context.Context, typ, url, day string) (doc *r4.Doc, err error) {
	defer outcome.Wrap(&err, "canonical.FindOn")
	return s.find(ctx, typ, url, "#"+day, func(got string) bool {
		_, err := time.Parse(time.DateOnly, got)
		return err == nil && got <= day
	})
}

// find gives the newest of the versions that are admitted; which names the choice.
func (s *Source) find(ctx context.Context, typ, url, which string, admits func(version string) bool) (doc *r4.Doc, err error) {
	if url == "" {
		return nil, nil
	}
	kept, key := s.kept.Load(), typ+"\n"+url+which
	if d, ok := kept.docs.Load(key); ok {
		return d.(*r4.Doc), nil
	}
	types := []string{typ}
	if typ == "" {
		types = Types
	} else if !r4.IsResource(typ) {
		return nil, nil
	}
	err = s.view(ctx, func(r store.Reader) error {
		for _, t := range types {
			if doc, err = newest(ctx, r, t, url, admits); doc != nil || err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if kept.count.Add(1) > maxKept {
		s.kept.CompareAndSwap(kept, new(found))
	}
	kept.docs.Store(key, doc)
	return doc, nil
}

func (s *Source) view(ctx context.Context, f func(store.Reader) error) error {
	a, err := s.access()
	if err != nil {
		return err
	}
	return s.store.View(ctx, a, f)
}

// newest looks through the versions of one url, which are few.
func newest(ctx context.Context, r store.Reader, typ, url string, admits func(string) bool) (best *r4.Doc, err error) {
	q := param.Query{Type: typ, Count: 100, Where: []param.Clause{by("url", param.URI, url)}}
	var written int64
	for {
		page, err := r.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, res := range page.Matches {
			doc, err := r4.Parse(res.Body)
			if err != nil {
				return nil, err
			}
			got := doc.Root().Get("version").Text()
			if !admits(got) {
				continue
			}
			order := 1
			if best != nil {
				order = canon.Compare(got, best.Root().Get("version").Text())
			}
			if at := res.Updated.UnixNano(); order > 0 || order == 0 && at >= written {
				best, written = doc, at
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return best, nil
		}
	}
}

func by(name string, kind param.Kind, text string) param.Clause {
	return param.Clause{Param: name, Kind: kind, Values: []param.Match{{Prefix: "eq", Value: param.Value{Param: name, Kind: kind, Text: text}}}}
}

// Supplements gives the code systems that supplement one (term.Supplements).
func (s *Source) Supplements(ctx context.Context, system string) (list []*r4.Doc, err error) {
	defer outcome.Wrap(&err, "canonical.Supplements")
	err = s.view(ctx, func(r store.Reader) error {
		q := param.Query{Type: "CodeSystem", Count: 100, Where: []param.Clause{by("supplements", param.Reference, system)}}
		for {
			page, err := r.Search(ctx, q)
			if err != nil {
				return err
			}
			for _, res := range page.Matches {
				doc, err := r4.Parse(res.Body)
				if err != nil {
					return err
				}
				list = append(list, doc)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return nil
			}
		}
	})
	return list, err
}

// Parts gives the concepts of a code system that lie beside its resource (term.Parts).
func (s *Source) Parts(ctx context.Context, system, version string) (list []*r4.Doc, err error) {
	defer outcome.Wrap(&err, "canonical.Parts")
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPart))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	err = s.view(ctx, func(r store.Reader) error {
		rows, err := r.Query(ctx, `SELECT body FROM canonical_part WHERE url = $1 AND version = $2 ORDER BY n`, system, version)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var packed []byte
			if err := rows.Scan(&packed); err != nil {
				return err
			}
			text, err := dec.DecodeAll(packed, nil)
			if err != nil {
				return err
			}
			doc, err := r4.Parse(text)
			if err != nil {
				return err
			}
			list = append(list, doc)
		}
		return rows.Err()
	})
	return list, err
}

// maxPart bounds one part, unpacked.
const maxPart = 64 << 20

// PutParts writes the concepts of a code system beside its resource and takes
// the place of those that were there. Each part is a JSON object with a list
// "concept" of at most 65,535. The caller writes the resource in the same Tx.
func PutParts(ctx context.Context, tx store.Tx, system, version string, parts [][]byte) (err error) {
	defer outcome.Wrap(&err, "canonical.PutParts")
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	defer enc.Close()
	if _, err := tx.Exec(ctx, `DELETE FROM canonical_part WHERE url = $1 AND version = $2`, system, version); err != nil {
		return err
	}
	for n, p := range parts {
		_, err := tx.Exec(ctx, `INSERT INTO canonical_part (url, version, n, body) VALUES ($1, $2, $3, $4)`, system, version, n, enc.EncodeAll(p, nil))
		if err != nil {
			return err
		}
	}
	return nil
}
