// Package store is the contract of a FHIR R4 store as ytso needs it: two
// methods that matter, View and Update, in the manner of a small database.
// Everything done inside one call is one transaction: resources, their index,
// the outbox, the audit rows and the rooms' own tables commit together, and
// the call returns only when that commit is on disk.
//
// internal/sqlstore fulfils it on SQLite and on PostgreSQL; the suite in
// package storetest is what both must pass.
package store

import (
	"context"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
)

// Store keeps FHIR resources.
type Store interface {
	// View reads from one snapshot. The audit rows of all it read are on disk
	// before View returns nil: no log, no act. An error of f is returned as it
	// is, and audited as a refusal or failure.
	View(ctx context.Context, a Access, f func(Reader) error) error

	// Update reads and writes in one transaction. f may be run more than once
	// (a conflict on PostgreSQL), so it must change nothing but the Tx. When f
	// or the commit fails nothing of it remains except the audit row of the
	// failure. Several Updates may share one commit on disk.
	Update(ctx context.Context, a Access, f func(Tx) error) error

	// Prepare checks and indexes a resource outside any transaction, so that
	// the writer only writes. The Draft's bytes are kept and not copied.
	Prepare(d Draft) (*Prepared, error)

	Close() error
}

// Reader reads what the Access lets its agent see. What it may not see is
// outcome.NotFound, the same as what is not there.
type Reader interface {
	// Read gives the current version. outcome.NotFound; outcome.Deleted.
	Read(ctx context.Context, k Key) (*Resource, error)
	// ReadVersion gives one version, current or past.
	ReadVersion(ctx context.Context, k Key, version int) (*Resource, error)
	// History lists versions, newest first.
	History(ctx context.Context, k Key, p HistoryPage) ([]*Resource, error)
	// Changes lists versions of many resources, newest first (history of a type
	// or of the whole server, FHIR R4 http.html#history).
	Changes(ctx context.Context, q ChangesQuery) (*ChangesPage, error)
	// Search answers exactly or not at all (outcome.NotSupported).
	Search(ctx context.Context, q param.Query) (*Page, error)
	// Query reads a room's own tables: SQL with $1 parameters, the same text on both engines.
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	// Audit describes what this call is about, for its audit row, beyond what the store saw itself.
	Audit(note Note)
}

// Tx also writes.
type Tx interface {
	Reader
	// Put creates or replaces. A Draft without ID gets a random one. Putting the
	// bytes that are already current changes nothing and gives the current version.
	// outcome.Conflict, outcome.Stale (IfMatch), outcome.Forbidden (gate).
	Put(ctx context.Context, p *Prepared) (*Resource, error)
	// Delete makes the resource gone; deleting what is gone is no error.
	Delete(ctx context.Context, k Key, ifMatch int) error
	// Claim makes Updates that claim the same key run one after the other: who
	// comes second sees what the first has written. For conditional creates.
	Claim(ctx context.Context, key string) error
	// Exec changes a room's own tables and says how many rows it touched.
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	// Publish appends to the outbox. Changes of resources are published by the store itself.
	Publish(ctx context.Context, e Event) error
}

// Rows is what a query gave; Close it always.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// Key names a resource on this server.
type Key struct{ Type, ID string }

func (k Key) String() string { return k.Type + "/" + k.ID }

// Draft is a resource to be written.
type Draft struct {
	Key  Key
	Body []byte // JSON; meta.versionId and meta.lastUpdated in it are replaced when it is served
	// Owner is the facility (MA_CSKCB) whose record it is, for the gate. It is
	// set by the program from who is signed in, never read from the body.
	Owner   string
	IfMatch int // version that must be current; 0: any; IfNone: must not exist
	// Doc is Body read, for who has read it and found its structure right
	// (validate.Structure): Prepare does neither again. nil: it does both.
	Doc *r4.Doc
}

// IfNone as Draft.IfMatch asks that the resource does not exist yet (or is deleted).
const IfNone = -1

// Prepared is a Draft with its index entries; made by Store.Prepare, good for any number of Puts.
type Prepared struct {
	Draft  Draft
	Doc    *r4.Doc
	Values []param.Value
	Engine any // the store's own compiled form
}

// Resource is one version of a resource.
type Resource struct {
	Key     Key
	Version int
	Updated time.Time
	Deleted bool
	Owner   string
	Body    []byte // JSON with meta.versionId and meta.lastUpdated filled in; nil when Deleted
	Changed bool   // Put: false when the bytes were current already
}

// Page is one page of a search.
type Page struct {
	Matches  []*Resource
	Included []*Resource
	Next     string // cursor, "" on the last page
	Total    int    // -1 when not asked for
	Estimate bool
	// Checked counts the candidates that were read and left out, for who measures.
	Checked int
}

// HistoryPage bounds a history read (FHIR R4 http.html#history). Since and At are zero when not asked for.
type HistoryPage struct {
	Since time.Time // _since: versions made then or later
	// _at: versions that were current at some time of the period from At to AtEnd,
	// which is not part of it; without AtEnd at the instant At.
	At, AtEnd time.Time
	Count     int
	Before    int // versions below this one; 0: from the newest
}

// ChangesQuery bounds the history of a type or of the server.
type ChangesQuery struct {
	Types            []string  // nil: all that the Access may see the history of
	Since, At, AtEnd time.Time // as in HistoryPage
	Count            int
	Cursor           string // from ChangesPage.Next
}

// ChangesPage is one page of it; Total is -1 when not counted. A page may hold
// fewer than were asked for, or none, and still have a Next: that much was
// looked through that the Access does not see.
type ChangesPage struct {
	Versions []*Resource
	Next     string
	Total    int
}

// Event is an outbox row.
type Event struct {
	Topic string // "resource", or a room's own
	Key   string // what it is about
	Body  []byte
}

// Access says on whose behalf a call is made and what is visible to it. It is
// made by internal/trust only. The zero Access is refused.
type Access struct {
	Agent   Agent
	Purpose string // HL7 v3 PurposeOfUse: TREAT, PATRQT, HPAYMT, HOPERAT, ETREAT, SYSADMIN
	Right   string // name of the policy that allows it, for the audit row
	Filter  Filter
	Request string // correlation id
	Remote  string // network address of the caller
	// Silent leaves out the audit row of a View that succeeds: for the gate's own
	// look-ups (whose session is it, which records are one person), which open
	// nothing to anybody. The call that they serve is audited as ever.
	Silent bool
}

// Agent is who acts.
type Agent struct {
	Kind     AgentKind
	ID       string // account id; for a citizen the golden Patient's id
	Name     string // as shown to the person whose record was opened
	Facility string // MA_CSKCB, "" when none
	Role     string
}

// AgentKind is the sort of agent.
type AgentKind string

// Kinds of agent.
const (
	Citizen AgentKind = "citizen"
	Staff   AgentKind = "staff"
	Machine AgentKind = "machine"
	System  AgentKind = "system"
)

// Filter is a compiled policy: a resource is visible when Types allows the act
// on its type and one of All, Patients, Owners or Public admits it.
type Filter struct {
	All      bool
	Patients []string        // ids of Patients whose compartments are visible (already expanded over links)
	Owners   []string        // facilities whose own records are visible
	Public   bool            // definitions and registers without a patient
	Types    map[string]Acts // by resource type; "*" for all others; a type not named is refused
}

// Acts is a set of interactions.
type Acts uint8

// Interactions that a policy allows.
const (
	CanRead Acts = 1 << iota
	CanSearch
	CanCreate
	CanUpdate
	CanDelete
	CanHistory
)

// Everything is all interactions.
const Everything = CanRead | CanSearch | CanCreate | CanUpdate | CanDelete | CanHistory

// May says whether the policy lets the agent act on a type at all.
func (f Filter) May(typ string, act Acts) bool {
	a, ok := f.Types[typ]
	if !ok {
		a = f.Types["*"]
	}
	return a&act == act
}

// Note adds to the audit row what only the caller knows.
type Note struct {
	Action   string   // code, for example "book.open", "claim.receive"
	Patients []string // golden ids of the persons concerned
	Entity   string   // what was acted upon, for example "Encounter/…" or a transaction number
	Detail   string   // search text or reason; never a secret, never a name
}

// ErrNoAccess is given to a call with a zero Access.
var ErrNoAccess = outcome.New(outcome.Forbidden, "store.no-access",
	"Yêu cầu không nêu người thực hiện nên bị từ chối.", "The request names nobody who acts, so it is refused.")
