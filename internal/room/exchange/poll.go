package exchange

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/trust"
)

// pieceTime is how long a client may take for one piece of a file.
const pieceTime = 5 * time.Minute

// inName is the access to the room's own tables, in the audit log under the
// name of who asks.
func (s *Service) inName(r *http.Request) store.Access {
	a := s.system
	if p, ok := trust.From(r.Context()); ok {
		a.Agent, a.Request, a.Remote, a.Silent = p.Agent, p.Request, p.Remote, false
	}
	return a
}

// jobOf finds a job of the client who asks, and its files. outcome.NotFound
// for another's, the same as for none.
func (s *Service) jobOf(r *http.Request) (j *Job, list []file, err error) {
	client, err := clientOf(r.Context())
	if err != nil {
		return nil, nil, err
	}
	err = s.Store.View(r.Context(), s.inName(r), func(rd store.Reader) error {
		rd.Audit(store.Note{Action: "exchange.poll", Entity: r.PathValue("job")})
		found, err := jobs(r.Context(), rd, `WHERE id = $1 AND client = $2`, r.PathValue("job"), client)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errNoJob
		}
		j = found[0]
		list, err = files(r.Context(), rd, j.ID)
		return err
	})
	return j, list, err
}

// poll answers how far a job has come, and at its end where its files are
// (FHIR R4 async.html; Bulk Data Access 2.0.0 export.html#bulk-data-status-request).
func (s *Service) poll(w http.ResponseWriter, r *http.Request) error {
	j, list, err := s.jobOf(r)
	if err != nil {
		return err
	}
	switch j.State {
	case stateFailed:
		return faultOf(j.Fault)
	case stateDone:
		w.Header().Set("Expires", j.Expires.Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(manifest(base(r), j, list)) // the caller may have gone
		return nil
	}
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter(j, s.Clock.Now())))
	w.Header().Set("X-Progress", progress(j))
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func progress(j *Job) string {
	text := j.State + ", " + strconv.FormatInt(j.Done, 10) + " resources"
	if j.Note != "" {
		text += ", " + j.Note
	}
	return text[:min(len(text), 100)] // Bulk Data Access 2.0.0: less than 100 characters
}

// manifest says where the files of a job are.
func manifest(base string, j *Job, list []file) []byte {
	lists := map[string][]string{}
	for _, f := range list {
		url := base + "/$job/" + j.ID + "/" + strconv.FormatInt(f.N, 10) + ".ndjson"
		o := r4.Object{{Name: "type", Value: f.Type}, {Name: "url", Value: url}, {Name: "count", Value: f.Items}}
		if f.Role == roleInput {
			continue
		}
		lists[f.Role] = append(lists[f.Role], string(o.JSON()))
	}
	array := func(role string) r4.Literal { return r4.Literal("[" + strings.Join(lists[role], ",") + "]") }
	o := r4.Object{
		{Name: "transactionTime", Value: milli(timeOf(j))}, {Name: "request", Value: j.Request},
		{Name: "requiresAccessToken", Value: true},
		{Name: "output", Value: array(roleOutput)}, {Name: "deleted", Value: array(roleDeleted)}, {Name: "error", Value: array(roleError)},
	}
	return o.JSON()
}

// timeOf is the transactionTime: for an export what its spec says, else when the job began.
func timeOf(j *Job) time.Time {
	var spec exportSpec
	if j.Kind != kindExport || json.Unmarshal(j.Spec, &spec) != nil {
		return j.Created
	}
	return spec.Time
}

// withdraw cancels a job, or gives up the files of one that is done.
func (s *Service) withdraw(w http.ResponseWriter, r *http.Request) error {
	client, err := clientOf(r.Context())
	if err != nil {
		return err
	}
	if err := s.cancel(r.Context(), s.inName(r), r.PathValue("job"), client); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// download streams a file of a finished job, piece by piece. Each piece has
// its audit row before it leaves; nothing is read ahead of a slow client.
func (s *Service) download(w http.ResponseWriter, r *http.Request) error {
	j, list, err := s.jobOf(r)
	if err != nil {
		return err
	}
	f, err := fileOf(j, list, r.PathValue("file"))
	if err != nil {
		return err
	}
	if _, err := s.behalf(r.Context(), j.Principal, j.ID); err != nil {
		return err // a right that was taken away closes the files as well
	}
	c := http.NewResponseController(w)
	for n := int64(1); n <= f.Parts; n++ {
		body, err := s.piece(r, j, f, n)
		if err != nil {
			return err
		}
		if n == 1 {
			w.Header().Set("Content-Type", "application/fhir+ndjson")
			if r.Method == http.MethodHead {
				return nil
			}
		}
		_ = c.SetWriteDeadline(s.Clock.Now().Add(pieceTime)) // a test's connection knows no deadlines
		if _, err := w.Write(body); err != nil {
			return nil // the client has gone
		}
	}
	return nil
}

func fileOf(j *Job, list []file, name string) (file, error) {
	text, ok := strings.CutSuffix(name, ".ndjson")
	n, err := strconv.ParseInt(text, 10, 64)
	if ok && err == nil && j.State == stateDone {
		for _, f := range list {
			if f.N == n && f.Role != roleInput {
				return f, nil
			}
		}
	}
	return file{}, errNoJob
}

func (s *Service) piece(r *http.Request, j *Job, f file, n int64) (body []byte, err error) {
	name := j.ID + "/" + strconv.FormatInt(f.N, 10) + "." + strconv.FormatInt(n, 10)
	err = s.Store.View(r.Context(), s.inName(r), func(rd store.Reader) (err error) {
		rd.Audit(store.Note{Action: "exchange.file", Entity: name, Detail: f.Type})
		body, err = part(r.Context(), rd, j.ID, f.N, n)
		return err
	})
	return body, err
}

// ownRoutes are the doors of the room beside those of fhir/rest. Jobs are for
// programs: a person in a browser has $everything and the pages, and no way to
// carry a whole province away by a stolen session.
func (s *Service) ownRoutes() []httpx.Route {
	program := httpx.Only(trust.RoleMachine)
	var list []httpx.Route
	add := func(pattern string, h httpx.Handler) {
		list = append(list, httpx.Route{Pattern: pattern, Who: program, Handler: h})
	}
	for _, level := range []string{"/$export", "/Patient/$export", "/Group/{id}/$export"} {
		add("GET "+root+level, s.startExport)
		add("POST "+root+level, s.startExport)
	}
	list = append(list, httpx.Route{Pattern: "POST " + root + "/$import", Who: program, MaxBody: maxImport, Handler: s.startImport})
	add("GET "+root+"/$job/{job}", s.poll)
	add("DELETE "+root+"/$job/{job}", s.withdraw)
	add("GET "+root+"/$job/{job}/{file}", s.download)
	sub := root + "/Subscription/{id}"
	add("GET "+sub+"/$status", s.status)
	add("GET "+sub+"/$events", s.events)
	for _, m := range []string{"GET ", "POST "} {
		add(m+root+"/Subscription/$get-ws-binding-token", s.websocket)
		add(m+sub+"/$get-ws-binding-token", s.websocket)
	}
	return list
}
