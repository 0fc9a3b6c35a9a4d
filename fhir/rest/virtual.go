package rest

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
)

// Virtual is a resource type that is not kept as resources but made of
// something else when it is asked for (AuditEvent, of the rows of the audit).
// It can be read and searched, alone, in a Bundle and in a compartment, and
// nothing else. Who may see what is its own to decide, by Request.Access: the
// store does not know it.
type Virtual struct {
	// Params are the search parameters that it answers; all others are refused.
	Params []string
	// Read gives one. outcome.NotFound also for what the caller may not see.
	Read func(ctx context.Context, l *Look, id string) (*store.Resource, error)
	// Search reads a query before the transaction begins, and gives what answers
	// it inside. The query has no _include, _has, _list or _filter.
	Search func(ctx context.Context, q *Request, query param.Query) (Find, error)
}

// Find answers a search.
type Find func(ctx context.Context, l *Look) (*store.Page, error)

// Look is one look at a virtual type inside a transaction.
type Look struct {
	*Request
	Reader store.Reader
	// Saw names the Patients of whom the answer speaks, for the audit row.
	Saw func(patients ...string)
}

// look is the view of a virtual type upon this transaction.
func (t *turn) look(q *Request) *Look {
	return &Look{Request: q, Reader: t.r, Saw: func(patients ...string) {
		t.note.Patients = append(t.note.Patients, patients...)
		t.r.Audit(t.note)
	}}
}

// virtual is the virtual type of an address, nil when it is none; its operations are like those of any type.
func (s *Server) virtual(path []string) *Virtual {
	if len(path) == 0 || path[len(path)-1][0] == '$' {
		return nil
	}
	return s.c.Virtual[path[0]]
}

var errVersions = status(http.StatusMethodNotAllowed, fail(outcome.NotSupported, "virtual-history",
	"Loại tài nguyên này không có phiên bản cũ.", "Resources of this type have no history."), "Allow", "GET, HEAD, OPTIONS")

// planVirtual finds what is asked of a virtual type: read or search.
func (s *Server) planVirtual(ctx context.Context, q *Request, v *Virtual, typ string, rest []string) (*act, error) {
	searched := len(rest) == 1 && rest[0] == "_search"
	switch {
	case searched:
		return s.planSearch(ctx, q, typ, compartment{}, true)
	case len(rest) > 0 && rest[len(rest)-1] == "_history", len(rest) == 3 && rest[1] == "_history":
		return nil, errVersions
	case len(rest) > 1:
		return nil, errAddress
	case q.Method != http.MethodGet && q.Method != http.MethodHead:
		return nil, method("GET", "HEAD", "OPTIONS")
	case len(rest) == 0:
		return s.planSearch(ctx, q, typ, compartment{}, false)
	case !validID(rest[0]):
		return nil, status(http.StatusNotFound, fail(outcome.NotFound, "id", "Mã tài nguyên không hợp lệ.", "That is no resource id."))
	}
	view, err := viewOf(q.Query)
	if err != nil {
		return nil, err
	}
	return &act{action: "read", run: func(ctx context.Context, t *turn) (*Response, error) {
		r, err := v.Read(ctx, t.look(q), rest[0])
		if err != nil {
			return nil, err
		}
		return found(q, r, view)
	}}, nil
}

// finder is what answers a search of a virtual type, nil when the store does.
func (s *Server) finder(ctx context.Context, q *Request, query param.Query) (Find, error) {
	v := s.c.Virtual[query.Type]
	if v == nil {
		return nil, s.real(query)
	}
	if len(query.Includes) > 0 || query.List != "" || query.Filter != nil {
		return nil, errVirtual
	}
	for _, c := range query.Where {
		if !slices.Contains(v.Params, c.Param) || c.Chain != nil || c.HasType != "" {
			return nil, fail(outcome.NotSupported, "virtual-parameter", "Loại tài nguyên này chỉ tìm được theo: "+strings.Join(v.Params, ", ")+".",
				"This type can be searched by these parameters only: "+strings.Join(v.Params, ", ")+".").At(c.Param)
		}
	}
	return v.Search(ctx, q, query)
}

var errVirtual = fail(outcome.NotSupported, "virtual",
	"Loại tài nguyên này chỉ tìm riêng được, không kèm _include, _revinclude, _has, chuỗi tham chiếu, _list, _filter hay _type.",
	"This type is searched by itself only, without _include, _revinclude, _has, chains, _list, _filter or _type.")

// real refuses a search of the store that wants a virtual type as well: it would find none and seem to say that there are none.
func (s *Server) real(query param.Query) error {
	if len(s.c.Virtual) == 0 {
		return nil
	}
	for typ := range s.c.Virtual {
		if slices.Contains(query.Types, typ) && query.CompartmentType == "" {
			return errVirtual
		}
		for _, i := range query.Includes {
			if i.Source == typ || i.Target == typ {
				return errVirtual
			}
		}
	}
	for _, c := range query.Where {
		if s.reaches(&c) {
			return errVirtual
		}
	}
	return s.realIn(query.Filter)
}

// reaches says whether a chain or _has goes to a virtual type.
func (s *Server) reaches(c *param.Clause) bool {
	for ; c != nil; c = c.Chain {
		if s.c.Virtual[c.HasType] != nil || s.c.Virtual[c.ChainType] != nil {
			return true
		}
	}
	return false
}

func (s *Server) realIn(e *param.Expr) error {
	if e == nil {
		return nil
	}
	if s.reaches(e.Clause) {
		return errVirtual
	}
	for _, part := range e.Parts {
		if err := s.realIn(part); err != nil {
			return err
		}
	}
	return nil
}
