package app

import (
	"context"
	"time"

	"github.com/ytso/ytso/internal/room/claims"
	"github.com/ytso/ytso/internal/room/exchange"
	"github.com/ytso/ytso/internal/trust/ledger"
)

// operator is what the commands ask of an installation: of the node itself
// when they opened it, or of the process that has it open, through its control
// socket (DESIGN.md decision 18). Whoever can open the folder can do all this.
type operator interface {
	AddAccount(ctx context.Context, facility string) (account, error)
	SignInLink(ctx context.Context, l linkFor) (link, error)
	// Receive takes a claim file in; Known is set when these bytes were answered before.
	Receive(ctx context.Context, p parcel) (taken, error)
	// Answer tells how far a received file has come.
	Answer(ctx context.Context, receipt string) (verdict, error)
	// Keep puts FHIR resources in and says how many, and what kept others out.
	Keep(ctx context.Context, p parcel) (kept, error)
	// Define stores definitions (profiles, terminology) under ids made of their canonicals.
	Define(ctx context.Context, d definitions) (kept, error)
	// LedgerKey is the verifier key of the log over the audit rows.
	LedgerKey(ctx context.Context, _ nothing) (string, error)
	// AddWitness registers the verifier key of an outsider who co-signs the log, and gives its name.
	AddWitness(ctx context.Context, vkey string) (string, error)
	// VerifyAudit holds the audit rows against the log, and both against what witnesses keep.
	VerifyAudit(ctx context.Context, outside ledger.Notes) (ledger.Report, error)
	Close() error
}

type nothing struct{}

type account struct{ User, Secret string }

// linkFor says who shall sign in.
type linkFor struct{ Role, Facility, Person, Name string }

type link struct {
	Path    string
	Expires time.Time
}

// parcel is a file that is handed over.
type parcel struct {
	Facility, Name string
	Body           []byte
	Lines          int // of the same file that were handed over before
}

type taken struct {
	Receipt string
	Known   bool // these very bytes were answered before
}

// verdict is what became of a file.
type verdict struct {
	Finished bool
	Refused  bool // the whole file
	VI, EN   string
	HOSO     map[claims.HOSOState]int
}

// kept is what became of FHIR resources.
type kept struct {
	Written, Unchanged int
	Faults             []exchange.Fault
}

// operator finds who answers: the server that has the folder open, else this process opens it.
func (p *place) operator(ctx context.Context, std Streams) (operator, error) {
	if err := p.settle(); err != nil {
		return nil, err
	}
	if p.data != "" {
		if r, ok := dialControl(p.data); ok {
			return r, nil
		}
	}
	return Open(ctx, p.options(std))
}
