package httpx

import (
	"compress/gzip"
	"net/http"
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/outcome"
)

// worthwhile is the size from which a text answer is compressed; below it a
// packet more or less does not matter. Until then nothing leaves, so that an
// error can still replace the answer.
const worthwhile = 1 << 10

// zipper keeps compressors for the next answer; one takes most of a megabyte.
type zipper struct{ pool sync.Pool }

func newZipper() *zipper {
	return &zipper{sync.Pool{New: func() any {
		z, err := gzip.NewWriterLevel(nil, 5)
		if err != nil {
			panic(err) // the level is a constant
		}
		return z
	}}}
}

// answer writes what a handler answers: counted, and compressed when it is
// text, large enough, and the caller takes gzip.
//
// Compression beside encryption lets an onlooker who may also choose part of
// a page guess a secret in the same page by its length (BREACH). Our pages
// hold no secret that a guess would win: the session is a cookie, forms are
// protected by origin and not by a token in the page, and one-time codes are
// not shown beside what a caller sent. Keep it so, or set Content-Encoding
// "identity" in the handler that must show one.
type answer struct {
	http.ResponseWriter
	zip    *zipper
	gzips  bool // the caller takes gzip
	head   bool // no body is sent
	status int  // 0: the handler has not said
	force  int  // instead of what an error's kind says
	held   []byte
	open   bool // the header has left
	z      *gzip.Writer
	sent   int64
	broken bool // failed after it had begun to leave
}

func (z *zipper) answer(w http.ResponseWriter, r *http.Request) *answer {
	return &answer{ResponseWriter: w, zip: z, gzips: acceptsGzip(r), head: r.Method == http.MethodHead}
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return !refused(params)
		}
	}
	return false
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	switch {
	case a.status != 0: // the first word counts, as in net/http
	case status < 200:
		a.ResponseWriter.WriteHeader(status)
	default:
		a.status = status
		if a.force != 0 {
			a.status = a.force
		}
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.open {
		return a.put(b)
	}
	a.held = append(a.held, b...)
	if len(a.held) >= worthwhile {
		return len(b), a.begin(true)
	}
	return len(b), nil
}

// Flush sends what there is, for answers that come in pieces.
func (a *answer) Flush() {
	a.WriteHeader(http.StatusOK)
	if !a.open && a.begin(true) != nil {
		return
	}
	if a.z != nil && a.z.Flush() != nil {
		return
	}
	_ = http.NewResponseController(a.ResponseWriter).Flush() // one that can't is buffered by its own will
}

// begin sends the header and what was held.
func (a *answer) begin(large bool) error {
	h := a.Header()
	if len(a.held) > 0 && h.Get("Content-Type") == "" {
		h.Set("Content-Type", http.DetectContentType(a.held))
	}
	if compressible(h) && bodyAllowed(a.status) {
		h.Add("Vary", "Accept-Encoding")
		if a.gzips && large && !a.head {
			h.Set("Content-Encoding", "gzip")
			h.Del("Content-Length")
			a.z = a.zip.pool.Get().(*gzip.Writer)
			a.z.Reset(counter{a})
		}
	}
	a.open = true
	a.ResponseWriter.WriteHeader(a.status)
	held := a.held
	a.held = nil
	_, err := a.put(held)
	return err
}

func (a *answer) put(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if a.z != nil {
		return a.z.Write(b)
	}
	return counter{a}.Write(b)
}

// counter counts what leaves.
type counter struct{ a *answer }

func (c counter) Write(b []byte) (int, error) {
	n, err := c.a.ResponseWriter.Write(b)
	if !c.a.head {
		c.a.sent += int64(n)
	}
	return n, err
}

// compressible says that the answer is text that nobody has encoded yet. A
// stream of events is left alone: its pieces are small and must leave at once.
func compressible(h http.Header) bool {
	if h.Get("Content-Encoding") != "" || h.Get("Content-Range") != "" {
		return false
	}
	name, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	switch name = strings.ToLower(strings.TrimSpace(name)); {
	case name == "text/event-stream":
		return false
	case strings.HasPrefix(name, "text/"), strings.HasSuffix(name, "+json"), strings.HasSuffix(name, "+xml"):
		return true
	}
	switch name {
	case "application/json", "application/xml", "application/javascript", "application/x-ndjson", "application/fhir+ndjson":
		return true
	}
	return false
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// reset forgets an answer that has not begun to leave; false when it has.
func (a *answer) reset() bool {
	if a.open {
		return false
	}
	a.held, a.status = nil, 0
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "ETag", "Last-Modified", "Location", "Vary"} {
		a.Header().Del(name)
	}
	a.Header().Set("Cache-Control", "no-store")
	return true
}

// finish sends what is left.
func (a *answer) finish() {
	if a.broken {
		return
	}
	if !a.open {
		a.WriteHeader(http.StatusOK)
		_ = a.begin(false) // the caller has gone: nobody is left to tell
	}
	if a.z != nil {
		_ = a.z.Close()
		a.z.Reset(nil)
		a.zip.pool.Put(a.z)
		a.z = nil
	}
}

// code is the status as the log shows it.
func (a *answer) code() int {
	if a.broken {
		return http.StatusInternalServerError
	}
	return a.status
}

func (a *answer) statusOf(e *outcome.Error) int {
	if a.force != 0 {
		return a.force
	}
	return e.Kind.Status()
}
