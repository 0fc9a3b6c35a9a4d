package exchange

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/httpx"
)

// pageBase is the page on which an administrator sees how other systems fare with us.
const pageBase = "/quan-tri/lien-thong"

// board is what the page shows. It names systems and counts; of criteria and
// requests it shows no values, which may speak of a person.
type board struct {
	Subs        []*subscription
	Jobs        []jobRow
	Definitions int64
	Allowed     int // endpoints that the operator allows
}

type jobRow struct {
	*Job
	Who string // account of the client
}

func (b board) failing() (n int) {
	for _, s := range b.Subs {
		if s.State == subError || s.Tries > 0 {
			n++
		}
	}
	return n
}

func (b board) working() (n int) {
	for _, j := range b.Jobs {
		if j.State == stateWaiting || j.State == stateRunning || j.State == stateReceiving {
			n++
		}
	}
	return n
}

// shownJobs bounds the list of jobs.
const shownJobs = 100

// showBoard is GET /quan-tri/lien-thong.
func (s *Service) showBoard(w http.ResponseWriter, r *http.Request) error {
	b := board{Allowed: len(s.Endpoints.Allowed)}
	err := s.Store.View(r.Context(), s.inName(r), func(rd store.Reader) (err error) {
		rd.Audit(store.Note{Action: "exchange.page"})
		if b.Subs, err = subscriptions(r.Context(), rd, `ORDER BY CASE state WHEN 'error' THEN 0 ELSE 1 END, created DESC, id`); err != nil {
			return err
		}
		list, err := jobs(r.Context(), rd, `ORDER BY created DESC, id LIMIT $1`, int64(shownJobs))
		b.Jobs = nil
		for _, j := range list {
			b.Jobs = append(b.Jobs, jobRow{j, whoOf(j.Principal)})
		}
		return err
	})
	if err != nil {
		return err
	}
	if b.Definitions, err = s.definitions(r.Context()); err != nil {
		return err
	}
	return httpx.HTML(w, r, http.StatusOK, boardPage(b))
}

// definitions counts the definitions that packages and clients brought.
func (s *Service) definitions(ctx context.Context) (n int64, err error) {
	a, err := s.access(ctx)
	if err != nil {
		return 0, err
	}
	err = s.Store.View(ctx, a, func(r store.Reader) error {
		n = 0
		r.Audit(store.Note{Action: "exchange.page.definitions"})
		for _, typ := range []string{"StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "SearchParameter"} {
			q, err := s.Params().Parse(typ, url.Values{"_summary": {"count"}, "_total": {"accurate"}}, param.Options{})
			if err != nil {
				return err
			}
			page, err := r.Search(ctx, q)
			if err != nil {
				return err
			}
			n += int64(max(0, page.Total))
		}
		return nil
	})
	return n, err
}

var errAct = outcome.New(outcome.NotFound, "exchange.act", "Không có việc này trên trang.", "There is no such act on this page.")

// pauseSubscription is POST …/dang-ky/{id}/{viec}: tam-dung or tiep-tuc.
func (s *Service) pauseSubscription(w http.ResponseWriter, r *http.Request) error {
	act := r.PathValue("viec")
	if !slices.Contains([]string{"tam-dung", "tiep-tuc"}, act) {
		return errAct
	}
	paused := int64(0)
	if act == "tam-dung" {
		paused = 1
	}
	err := s.Store.Update(r.Context(), s.inName(r), func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange.subscription." + act, Entity: "Subscription/" + r.PathValue("id")})
		n, err := tx.Exec(r.Context(), `UPDATE exchange_subscription SET paused = $2, tries = 0, due = 0 WHERE id = $1`, r.PathValue("id"), paused)
		if err == nil && n == 0 {
			return errNoSubscription
		}
		return err
	})
	if err != nil {
		return err
	}
	// Taken up again after an error it is asked for anew, as its owner could.
	if paused == 0 {
		if err := s.takeUp(r.Context(), r.PathValue("id")); err != nil {
			return err
		}
	}
	s.wakeFeed()
	return httpx.Redirect(w, r, pageBase)
}

// takeUp lets a subscription that ended in error try again.
func (s *Service) takeUp(ctx context.Context, id string) error {
	list, err := s.find(ctx, `WHERE id = $1 AND state = 'error'`, id)
	if err != nil || len(list) == 0 {
		return err
	}
	return s.settleState(ctx, list[0], subRequested, nil)
}

// cancelJob is POST …/viec/{job}/huy.
func (s *Service) cancelJob(w http.ResponseWriter, r *http.Request) error {
	if err := s.cancel(r.Context(), s.inName(r), r.PathValue("job"), ""); err != nil {
		return err
	}
	return httpx.Redirect(w, r, pageBase)
}

// typesOf names the resource types of a subscription, without their conditions.
func typesOf(s *subscription) string {
	var list []string
	for _, c := range s.Spec.Criteria {
		if typ, _, _ := strings.Cut(c, "?"); !slices.Contains(list, typ) {
			list = append(list, typ)
		}
	}
	return strings.Join(list, ", ")
}

// hostOf is where a subscription's notifications go, without path and query.
func hostOf(s *subscription) string {
	u, err := url.Parse(s.Spec.Endpoint)
	if err != nil {
		return ""
	}
	return u.Host
}

// levelOf is what a job was asked for, without its parameters.
func levelOf(j *Job) string {
	path, _, _ := strings.Cut(j.Request, "?")
	if _, rest, ok := strings.Cut(path, root+"/"); ok {
		path = rest
	}
	if strings.HasPrefix(path, "Group/") {
		return "Group/$export"
	}
	return path
}
