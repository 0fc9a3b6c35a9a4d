package door

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/authn"
)

// paste is the form that takes a link or its code from a message.
type paste struct {
	Next string // where to go afterwards
	Bad  bool   // what was sent is no code
}

// confirm asks whether it is really you.
type confirm struct {
	Token, Next string
	For         authn.LinkFor
	Instead     string // who is signed in on this device now, "" nobody
	InsteadIn   bool
}

func (c confirm) citizen() bool { return c.For.Role == trust.RoleCitizen }

var errTries = outcome.New(outcome.Throttled, "door.tries",
	"Có quá nhiều lần thử từ đường mạng này. Xin đợi một phút rồi mở lại đường dẫn; đường dẫn vẫn còn nguyên.",
	"Too many tries from this network. Please wait a minute and open the link again; it has not been used up.")

// paste is POST /vao: from a pasted link or code to the page that asks.
func (d *Door) paste(w http.ResponseWriter, r *http.Request) error {
	next := nextOf(r.PostFormValue("den"))
	code := codeOf(r.PostFormValue("ma"))
	if code == "" {
		return httpx.HTML(w, r, http.StatusUnprocessableEntity, frontPage(paste{Next: next, Bad: true}))
	}
	to := authn.LinkPath + code
	if next != "" {
		to += "?den=" + url.QueryEscape(next)
	}
	return httpx.Redirect(w, r, to)
}

// codeOf finds the code in what was pasted: the code, the link, or a message
// with the link in it. "" when there is none.
func codeOf(text string) string {
	for _, word := range strings.Fields(text) {
		if _, after, ok := strings.Cut(word, authn.LinkPath); ok {
			word = after
		}
		word, _, _ = strings.Cut(word, "?")
		word = strings.ToLower(strings.Trim(word, `.,;:!"'()<>/`))
		if authn.TokenShaped(word) {
			return word
		}
	}
	return ""
}

// ask is GET /vao/{token}: says whom the link signs in, and does not use it up.
func (d *Door) ask(w http.ResponseWriter, r *http.Request) error {
	if !d.tries.Allow(httpx.Network(r)) {
		return errTries
	}
	c := confirm{Token: r.PathValue("token"), Next: nextOf(r.URL.Query().Get("den"))}
	var err error
	if c.For, err = d.Authn.Peek(r.Context(), c.Token); err != nil {
		return d.dead(w, r, c.Next, err)
	}
	if p, ok := trust.From(r.Context()); ok {
		c.Instead, c.InsteadIn = p.Agent.Name, true
	}
	return httpx.HTML(w, r, http.StatusOK, confirmPage(c))
}

// enter is POST /vao/{token}: redeems the link.
func (d *Door) enter(w http.ResponseWriter, r *http.Request) error {
	if !d.tries.Allow(httpx.Network(r)) {
		return errTries
	}
	next := nextOf(r.PostFormValue("den"))
	who, err := d.Authn.SignIn(w, r, r.PathValue("token"), r.PostFormValue("rieng") != "")
	if err != nil {
		return d.dead(w, r, next, err)
	}
	if next == "" {
		next = d.homeOf(who.Role)
	}
	return httpx.Redirect(w, r, next)
}

func (d *Door) homeOf(role string) string {
	if home := d.Home[role]; home != "" {
		return home
	}
	return "/"
}

// dead answers alike to links that are wrong, used or expired, and says what to do next.
func (d *Door) dead(w http.ResponseWriter, r *http.Request, next string, err error) error {
	if outcome.As(err).Key != authn.DeadLink {
		return err
	}
	_, in := trust.From(r.Context())
	return httpx.HTML(w, r, http.StatusNotFound, deadPage(paste{Next: next}, in))
}

// leave is POST /ra.
func (d *Door) leave(w http.ResponseWriter, r *http.Request) error {
	if err := d.Authn.SignOut(w, r); err != nil {
		return err
	}
	return httpx.Redirect(w, r, "/")
}
