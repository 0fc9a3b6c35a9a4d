package door

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/authn"
)

// Tour is what a demonstration shows on its first page.
type Tour struct {
	Progress Progress
	Stops    []Stop // always all of them, in the same order
}

// Progress is how much of the invented province has flowed in.
type Progress struct {
	Done, Total int // visits
	Finished    bool
}

// Stop is somebody to look through the eyes of.
type Stop struct {
	Role        string
	Title, Text string        // "Bà Bàn Thị Mai, 67 tuổi", "Tăng huyết áp, khám hằng tháng.", in the reader's language
	Path        string        // the page to begin with; "": the first page of the role
	For         authn.LinkFor // whom to sign in; its Role is "" as long as the person has not flowed in
}

func (s Stop) ready() bool { return s.For.Role != "" }

// percent of the inflow, full only at its end.
func (p Progress) percent() int {
	switch {
	case p.Finished:
		return 100
	case p.Total <= 0:
		return 0
	}
	return min(99, max(0, p.Done*100/p.Total))
}

// text says in a sentence how far it is.
func (p Progress) text(ctx context.Context) string {
	done, total := grouped(ctx, p.Done), grouped(ctx, p.Total)
	switch {
	case p.Finished:
		return i18n.T(ctx, "door.tour.finished", "done", done)
	case p.Total <= 0:
		return i18n.T(ctx, "door.tour.starting")
	}
	return i18n.T(ctx, "door.tour.flowing", "done", done, "total", total)
}

// grouped writes a number as the reader's language groups it: 1.234, in English 1,234.
func grouped(ctx context.Context, n int) string {
	s := ui.Number3(strconv.Itoa(n))
	if i18n.Of(ctx) == i18n.EN {
		s = strings.ReplaceAll(s, ".", ",")
	}
	return s
}

// tourView is the tour with who looks at it.
type tourView struct {
	*Tour
	Local bool   // the page was opened on the server itself, where trying is allowed
	In    bool   // somebody is signed in already
	Name  string // of who is
	Home  string
}

func (d *Door) tourOf(r *http.Request, t *Tour) tourView {
	v := tourView{Tour: t, Local: authn.Local(r)}
	if p, ok := trust.From(r.Context()); ok {
		v.In, v.Name, v.Home = true, p.Agent.Name, d.Home[p.Agent.Role]
	}
	return v
}

func (t *Tour) ready() (n int) {
	for _, s := range t.Stops {
		if s.ready() {
			n++
		}
	}
	return n
}

// progressAnswer is GET /tien-do, for the script of the tour.
type progressAnswer struct {
	Percent  int    `json:"percent"`
	Text     string `json:"text"`
	Finished bool   `json:"finished"`
	Ready    int    `json:"ready"` // stops that can be tried
}

func (d *Door) progress(w http.ResponseWriter, r *http.Request) error {
	t := d.Tour(r.Context())
	if t == nil {
		return errNoTour
	}
	return httpx.JSON(w, http.StatusOK, progressAnswer{t.Progress.percent(), t.Progress.text(r.Context()), t.Progress.Finished, t.ready()})
}

var (
	errNoTour = outcome.New(outcome.NotFound, "door.no-tour",
		"Chặng này chưa mở: hồ sơ của người ấy chưa vào tới nơi. Xin về trang đầu và thử lại sau ít phút.",
		"This stop is not open yet: the person's records have not arrived. Go back to the first page and try again in a few minutes.")
	errTourFar = outcome.New(outcome.Forbidden, "door.tour-far",
		"Phần chạy thử chỉ vào được từ chính máy đang chạy nó. Hãy mở bằng địa chỉ http://localhost.",
		"The demonstration can only be entered on the machine that runs it. Open it at http://localhost.")
)

// tourTTL is the life of a link that is made and used in one request.
const tourTTL = time.Minute

// try is POST /thu/{n}: signs in as the n-th stop of the tour, on the machine itself only.
func (d *Door) try(w http.ResponseWriter, r *http.Request) error {
	if !authn.Local(r) {
		return errTourFar
	}
	t := d.Tour(r.Context())
	n, err := strconv.Atoi(r.PathValue("n"))
	if t == nil || err != nil || n < 0 || n >= len(t.Stops) || !t.Stops[n].ready() {
		return errNoTour
	}
	stop := t.Stops[n]
	stop.For.TTL = tourTTL
	link, err := d.Authn.NewLink(r.Context(), stop.For)
	if err != nil {
		return err
	}
	who, err := d.Authn.SignIn(w, r, link.Path[len(authn.LinkPath):], false)
	if err != nil {
		return err
	}
	if stop.Path == "" {
		stop.Path = d.homeOf(who.Role)
	}
	return httpx.Redirect(w, r, stop.Path)
}
