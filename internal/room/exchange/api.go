package exchange

import (
	"context"
	"net/http"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/trust"
)

// root is where the API begins.
const root = "/fhir"

// purposes says what each role opens records for through the API. It claims no
// more than its policy admits: another purpose would be refused by the gate.
var purposes = map[string]string{
	trust.RoleCitizen:    trust.OwnRequest,
	trust.RoleDoctor:     trust.Treatment,
	trust.RoleStation:    trust.Treatment,
	trust.RoleHospital:   trust.Treatment,
	trust.RoleDepartment: trust.Operations,
	trust.RoleAdmin:      trust.SysAdmin,
	trust.RoleMachine:    trust.Treatment,
}

// everyRole may knock at the API; what each sees there is the gate's.
var everyRole = httpx.Only(trust.RoleCitizen, trust.RoleDoctor, trust.RoleStation, trust.RoleHospital, trust.RoleDepartment,
	trust.RoleAdmin, trust.RoleMachine)

// purposeOf is the purpose of use of a principal. A token without a facility
// is the operator's, who reads for the running of the whole and treats nobody.
func purposeOf(p trust.Principal) string {
	if p.Agent.Role == trust.RoleMachine && p.Agent.Facility == "" {
		return trust.Operations
	}
	return purposes[p.Agent.Role]
}

var errNobody = outcome.New(outcome.Login, "exchange.login",
	"Cần mã truy cập (bearer token) hoặc phiên đăng nhập để dùng giao diện FHIR.",
	"The FHIR interface wants a bearer token or a session.")

// access compiles what who asks may see.
func (s *Service) access(ctx context.Context) (store.Access, error) {
	p, ok := trust.From(ctx)
	if !ok {
		return store.Access{}, errNobody
	}
	a, err := s.Gate.Access(ctx, purposeOf(p))
	if err != nil {
		return store.Access{}, s.refused(ctx, p, err)
	}
	return a, nil
}

// refused leaves an audit row of somebody who has signed in and whom the gate does not let in.
func (s *Service) refused(ctx context.Context, p trust.Principal, err error) error {
	a := s.system // sees no resource
	a.Agent, a.Request, a.Remote = p.Agent, p.Request, p.Remote
	return s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "fhir.refused"})
		return err
	})
}

// owner is the facility whose records the caller writes; "" for the operator.
func owner(ctx context.Context) string {
	p, _ := trust.From(ctx)
	return p.Agent.Facility
}

// base is the address of the API as the caller sees it.
func base(r *http.Request) string { return httpx.Origin(r) + root }

func vietnamese(ctx context.Context) bool { return i18n.Of(ctx) == i18n.VI }

// api hands a request to the REST server, without the root of its path.
func (s *Service) api(w http.ResponseWriter, r *http.Request) error {
	in := r.Clone(context.WithValue(r.Context(), baseKey{}, base(r)))
	in.URL.Path, in.URL.RawPath = strings.TrimPrefix(r.URL.Path, root), strings.TrimPrefix(r.URL.RawPath, root)
	in.Pattern = r.Pattern
	return s.rest.Handler(w, in)
}

// fault writes the cause of an error that is ours to the log, under the reference that the caller got.
func (s *Service) fault(r *http.Request, err error) {
	if r.Context().Err() == nil { // a caller that went away is nobody's fault
		s.Log.ErrorContext(r.Context(), "fault", "reference", httpx.RequestID(r.Context()), "route", r.Pattern, "cause", err.Error())
	}
}
