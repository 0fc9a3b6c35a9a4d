package sqlstore

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"embed"
	"io/fs"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/platform/id"
)

//go:embed migrations/*.sql
var files embed.FS

// Options says where the store is.
type Options struct {
	Dir   string   // folder of an SQLite database; it must exist
	Key   []byte   // 32 bytes that encrypt it
	URL   string   // postgres://…, instead of Dir
	Sets  []db.Set // migrations of the rooms
	Clock clock.Clock
	// Params are the search parameters; nil: the official ones.
	Params *param.Registry
}

// Store is fhir/store on one of the engines.
type Store struct {
	e     engine
	h     hasher
	clock clock.Clock
	last  atomic.Int64 // row id given last, without its shard
	ns    [16]byte

	sealer cipher.AEAD // of cursors
	params atomic.Pointer[definitions]
	bounds bounds
	sets   sync.Map // sets of parameters (hasher.set) that stand in paramset for certain
}

// bounds keep a call from taking too long.
type bounds struct {
	probe int // rows of a condition that are counted to find the rarest
	inner int // resources at the other end of a reference that are listed rather than looked up one by one
	named int // resources that name others, listed likewise
	walk  int // rows that are looked through
	sort  int // resources that are sorted for a page when no index has them in order
}

// Namespace is the random UUID of this installation, made with its database
// and kept in it: ids made under it tell nothing (DESIGN.md decisions 9, 10).
func (s *Store) Namespace() [16]byte { return s.ns }

var _ store.Store = (*Store)(nil)

// Open opens a database, makes it when it is new, and brings it to the newest
// migrations. outcome.Conflict when another process has the folder.
func Open(ctx context.Context, o Options) (s *Store, err error) {
	defer outcome.Wrap(&err, "sqlstore.Open")
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Params == nil {
		o.Params = param.Official()
	}
	s = &Store{clock: o.Clock, bounds: bounds{probe: 400, inner: 500, named: 20_000, walk: 20_000, sort: 10_000}}
	s.params.Store(&definitions{Registry: o.Params})
	if o.URL != "" {
		s.e, err = openPG(ctx, o.URL)
	} else {
		s.e, err = openLite(o.Dir, o.Key)
	}
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, o.Sets); err != nil {
		_ = s.e.close() // the error that matters is the migration's
		return nil, err
	}
	return s, nil
}

func (s *Store) migrate(ctx context.Context, sets []db.Set) error {
	own, err := fs.Sub(files, "migrations")
	if err != nil {
		return err
	}
	sets = append([]db.Set{{Room: "store", FS: own}}, sets...)
	return s.e.update(ctx, func(c conn) error {
		if s.e.dialect() == db.Postgres {
			if _, err := c.Exec(ctx, `SELECT pg_advisory_xact_lock(7962739451)`); err != nil {
				return err
			}
		}
		if _, err := db.Migrate[store.Rows](ctx, c, s.e.dialect(), sets, s.clock.Now()); err != nil {
			return err
		}
		secret, err := secretOf(ctx, c, "hash")
		if err != nil {
			return err
		}
		s.h = newHasher(secret)
		if s.sealer, err = newSealer(secret); err != nil {
			return err
		}
		ns, err := secretOf(ctx, c, "namespace")
		if err != nil {
			return err
		}
		copy(s.ns[:], ns)
		d, err := s.define(ctx, c, s.params.Load().Registry)
		s.params.Store(d)
		return err
	})
}

// secretOf gives 16 random bytes that were made once and are kept under a name.
func secretOf(ctx context.Context, c conn, name string) (b []byte, err error) {
	b = make([]byte, 16)
	_, _ = rand.Read(b) // never fails, crypto/rand
	if _, err := c.Exec(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, b); err != nil {
		return nil, err
	}
	err = one(ctx, c, `SELECT value FROM setting WHERE name = $1`, []any{name}, &b)
	return b, err
}

// Close ends the store after the transactions in hand.
func (s *Store) Close() error { return s.e.close() }

// Commits counts the transactions put on disk since Open. Several Updates share
// one on SQLite, so it tells what the disk had to do.
func (s *Store) Commits() int64 { return s.e.commits() }

// one reads a single row; outcome.NotFound when there is none.
func one(ctx context.Context, c conn, sql string, args []any, dest ...any) error {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return errNotFound
	}
	return rows.Scan(dest...)
}

// compiled is Prepared.Engine: what the writer needs and nothing else.
type compiled struct {
	h       hasher
	defs    *definitions // by which it was made
	body    []byte
	entries []entry // sorted, without the owner's
	params  string  // that have a value
	pats    []string
	links   []entry // of a golden Patient, if it is nobody's
	d       int64
	dated   bool
}

// Prepare is described at store.Store.
func (s *Store) Prepare(d store.Draft) (p *store.Prepared, err error) {
	defer outcome.Wrap(&err, "store.Prepare %s", d.Key.Type)
	if d.Key.ID == "" {
		d.Key.ID = id.UUID()
	}
	doc, known := d.Doc, d.Doc != nil
	if !known {
		if doc, err = r4.Parse(d.Body); err != nil {
			return nil, err
		}
	}
	c := &compiled{h: s.h}
	if c.body, err = seal(doc, d.Key.Type, d.Key.ID); err != nil {
		return nil, err
	}
	if !known {
		if err := validate.Refusal(validate.Structure(doc)); err != nil {
			return nil, err
		}
	}
	if doc.ID() != d.Key.ID { // the compartment of a Patient and its index go by the id it gets
		if doc, err = r4.Parse(mustOpen(c.body)); err != nil {
			return nil, err
		}
	}
	c.defs = s.params.Load()
	values, err := s.compile(c, c.defs, d.Key, doc)
	if err != nil {
		return nil, err
	}
	return &store.Prepared{Draft: d, Doc: doc, Values: values, Engine: c}, nil
}

// compile finds the index entries of a resource.
func (s *Store) compile(c *compiled, d *definitions, k store.Key, doc *r4.Doc) ([]param.Value, error) {
	values, err := d.Extract(doc)
	if err != nil {
		return nil, err
	}
	c.pats = param.PatientCompartment(doc, values)
	c.entries, c.params = s.h.entries(k.Type, c.pats, values)
	c.links = s.h.links(k, doc)
	if ms, ok := param.ClinicalDate(doc); ok {
		c.d, c.dated = -ms, true
	}
	if misplaced(k.Type, values, c.d) {
		c.entries = append(c.entries, entry{t: post, a: s.h.of("misplaced", k.Type)})
	}
	if publicTypes[k.Type] && len(c.pats) == 0 {
		c.entries = append(c.entries, entry{t: post, a: s.h.of("pub", k.Type)})
	}
	return values, nil
}

func mustOpen(body []byte) []byte {
	b, err := open(body, 1, time.Time{})
	if err != nil {
		panic(err) // seal made it a moment ago
	}
	return b
}

// publicTypes are registers and definitions: what Filter.Public shows. Types
// that may speak of a person, hold secrets or carry others are not among them.
var publicTypes = func() map[string]bool {
	m := map[string]bool{}
	for t := range strings.FieldsSeq(`ActivityDefinition CapabilityStatement ChargeItemDefinition CodeSystem CompartmentDefinition ConceptMap
		DeviceDefinition Endpoint GraphDefinition HealthcareService ImplementationGuide InsurancePlan Library Location Measure Medication
		MedicationKnowledge NamingSystem ObservationDefinition OperationDefinition Organization OrganizationAffiliation PlanDefinition
		Practitioner PractitionerRole Questionnaire SearchParameter SpecimenDefinition StructureDefinition StructureMap Substance
		TerminologyCapabilities ValueSet`) {
		m[t] = true
	}
	return m
}()

// View is described at store.Store.
func (s *Store) View(ctx context.Context, a store.Access, f func(store.Reader) error) error {
	if a.Agent.Kind == "" || a.Right == "" {
		return store.ErrNoAccess
	}
	var t *tx
	audit := func(c conn) error { return s.audit(ctx, c, t, nil) }
	if a.Silent {
		audit = nil
	}
	err := s.e.view(ctx, func(c conn) error {
		t = s.newTx(c, a)
		return f(readOnly{t})
	}, audit)
	return s.refused(ctx, t, err)
}

// Update is described at store.Store. An Update inside an Update waits for itself and must not be.
func (s *Store) Update(ctx context.Context, a store.Access, f func(store.Tx) error) error {
	if a.Agent.Kind == "" || a.Right == "" {
		return store.ErrNoAccess
	}
	var t *tx
	err := s.e.update(ctx, func(c conn) error {
		t = s.newTx(c, a)
		if err := f(t); err != nil {
			return err
		}
		if err := t.flush(ctx); err != nil {
			return err
		}
		return s.audit(ctx, c, t, nil)
	})
	if err == nil {
		for _, v := range t.sets {
			s.sets.Store(v, true)
		}
	}
	return s.refused(ctx, t, err)
}

// refused writes the audit row of a call that failed: the act is undone, the row stays.
func (s *Store) refused(ctx context.Context, t *tx, err error) error {
	if err == nil || t == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if e := s.e.update(ctx, func(c conn) error { return s.audit(ctx, c, t, err) }); e != nil {
		return outcome.As(err).Because(e)
	}
	return err
}

// maxActs bounds the text of one audit row; what is beyond is counted.
const maxActs = 16 << 10

func (s *Store) audit(ctx context.Context, c conn, t *tx, failure error) error {
	result := "ok"
	if failure != nil {
		result = string(outcome.KindOf(failure))
	}
	a, n := t.a, t.note
	if n.Action == "" {
		n.Action = t.kind
	}
	pats, nonce := slices.Sorted(maps.Keys(t.pats)), make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails, crypto/rand
	return c.log(ctx, append(make([]any, 0, 18),
		s.clock.Now().UnixMilli(), string(a.Agent.Kind), a.Agent.ID, a.Agent.Name, a.Agent.Facility, a.Agent.Role, a.Purpose, a.Right,
		n.Action, result, fold.NFC(oneLine(n.Entity)), fold.NFC(oneLine(n.Detail)), t.acts.String(), a.Request, a.Remote,
		strings.Join(pats, " "), nonce), pats)
}

// next makes a row id: 41 bits of milliseconds, 12 bits that count, 10 bits of
// shard. Ids of one process never repeat: what a millisecond has no room for goes
// into the next one. Where a millisecond begins to count is random, so that
// processes on one database seldom meet; if they do, one of them runs again.
func (s *Store) next(now time.Time, cp int64) int64 {
	begin := now.UnixMilli()<<12 | mathrand.Int64N(1<<12)
	for {
		last := s.last.Load()
		tick := max(last+1, begin)
		if s.last.CompareAndSwap(last, tick) {
			return tick<<10 | cp
		}
	}
}
