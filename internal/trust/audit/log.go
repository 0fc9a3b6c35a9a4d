package audit

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// Deps is what the log is read with.
type Deps struct {
	Namespace [16]byte // of the installation, for the ids of rows
	// Facility is the identifier system of facilities.
	Facility string
	// Persons gives the records of a golden Patient; outcome.NotFound for what is none.
	Persons interface {
		Expand(ctx context.Context, golden string) ([]string, error)
	}
	// Params are the search parameters in force.
	Params func() *param.Registry
}

// Log is the audit log as FHIR shows it.
type Log struct {
	Deps
	names names
}

// New makes the log.
func New(d Deps) (*Log, error) {
	n, err := newNames(d.Namespace)
	return &Log{d, n}, err
}

// parameters of the search, besides _count, _sort=-date, _total, _summary, _elements.
var parameters = []string{"_id", "action", "address", "agent", "agent-name", "agent-role", "altid", "date", "entity", "entity-name", "entity-role",
	"entity-type", "outcome", "patient", "policy", "site", "source", "subtype", "type"}

// Virtual is the type AuditEvent for fhir/rest.
func (l *Log) Virtual() *rest.Virtual {
	return &rest.Virtual{Params: parameters, Read: l.read, Search: l.search}
}

var errNone = outcome.New(outcome.NotFound, "audit.not-found", "Không tìm thấy dòng nhật ký này.", "This line of the log was not found.")

func (l *Log) renderer(q *rest.Request) renderer { return renderer{l.names, l.Facility, q.Base} }

func (l *Log) read(ctx context.Context, q *rest.Look, id string) (*store.Resource, error) {
	s, err := sightOf(q.Access, store.CanRead)
	if err != nil {
		return nil, err
	}
	seq, ok := l.names.seq(id)
	if !ok {
		return nil, errNone
	}
	list, err := stream{ofOne, seq}.next(ctx, q.Reader, newest, 1)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || !s.sees(list[0]) {
		return nil, errNone
	}
	x := s.shown(list[0])
	q.Saw(told(x)...)
	return l.renderer(q.Request).resource(x), nil
}

// told are the Patients that a rendered row names.
func told(x *row) []string { return x.patients[:min(len(x.patients), maxShown)] }
