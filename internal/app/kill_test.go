package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/blob"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap"
)

// kills is how often the process is killed: YTSO_KILLS, else 10 in CI, else 3.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("YTSO_KILLS")); err == nil && n > 0 {
		return n
	}
	if os.Getenv("YTSO_TEST_REQUIRE") != "" {
		return 10
	}
	return 3
}

// TestKilled: a server under load is killed at random moments and started
// again. Whatever it had acknowledged is there with its original and reaches
// an answer, and no visit is half stored: what stands gives back the very
// claim that was sent.
func TestKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process can't be told to stop there by a signal")
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			l := newLoad(t, newPlace(t, engine))
			for i := range kills() {
				l.sendAndKill(l.serve(), time.Duration(100+rand.IntN(1500))*time.Millisecond)
				t.Logf("kill %d: %d files acknowledged so far", i+1, len(l.acks))
			}
			s := l.serve()
			l.awaitAnswers()
			if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			if err := s.cmd.Wait(); err != nil {
				t.Errorf("told to stop: %v", err)
			}
			l.verify()
		})
	}
}

// load is the files that are sent, and what was acknowledged.
type load struct {
	t       testing.TB
	place   place
	senders map[string]*sender // by facility; their tokens outlive the server
	files   chan synth.File
	stop    context.CancelFunc

	mu    sync.Mutex
	acks  map[string]ack // by transaction number
	again []synth.File   // sent when the server was killed: nobody knows whether it came
}

type ack struct {
	facility string
	body     []byte
}

func newLoad(t testing.TB, p place) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{t: t, place: p, senders: map[string]*sender{}, files: make(chan synth.File), stop: stop, acks: map[string]ack{}}
	t.Cleanup(stop)
	province := synth.New(synth.Options{People: 2000 + 300*kills()}) // more than is sent: who waits for a file that never comes waits for ever
	n := openNode(t, p)
	for _, f := range province.Facilities() {
		a, err := n.AddAccount(t.Context(), f.Code)
		if err != nil {
			t.Fatal(err)
		}
		l.senders[f.Code] = &sender{client: &http.Client{Timeout: 30 * time.Second}, facility: f.Code, account: a}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for f := range province.Files() {
			select {
			case l.files <- f:
			case <-ctx.Done():
				return
			}
		}
	}()
	return l
}

// helper is the program in a process of its own.
type helper struct{ cmd *exec.Cmd }

func (l *load) serve() helper {
	l.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		l.t.Fatal(err)
	}
	var out words
	cmd := exec.Command(exe, append([]string{"serve", "--addr", "127.0.0.1:0"}, l.place.args()...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stdout, cmd.Stderr = &out, &words{}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = cmd.Process.Kill() }) // has ended already, save when the test fails
	base := out.await(l.t, `Serving at +http://localhost(:\d+)\n`)[1]
	for _, s := range l.senders {
		s.base = "http://127.0.0.1" + base
		if _, err := s.key(l.t.Context(), false); err != nil {
			l.t.Fatal(err)
		}
	}
	return helper{cmd}
}

// sendAndKill keeps the server busy and kills it in the midst of that.
func (l *load) sendAndKill(h helper, after time.Duration) {
	var killed atomic.Bool
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for !killed.Load() {
				f := l.next()
				body, err := claim.Encode(f.Claim)
				if err != nil {
					l.t.Error(err)
					return
				}
				receipt, err := l.senders[f.Facility].send(l.t.Context(), body)
				if err != nil && !killed.Load() {
					l.t.Errorf("before the kill: %v", err)
				}
				l.sent(f, receipt, body, err)
				if err != nil {
					return
				}
			}
		})
	}
	time.Sleep(after)
	killed.Store(true)
	if err := h.cmd.Process.Kill(); err != nil {
		l.t.Fatal(err)
	}
	_ = h.cmd.Wait() // killed, as it says
	wg.Wait()
}

// next gives what a killed server left unanswered, else the next file of the province.
func (l *load) next() synth.File {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.again); n > 0 {
		f := l.again[n-1]
		l.again = l.again[:n-1]
		return f
	}
	return <-l.files
}

func (l *load) sent(f synth.File, receipt string, body []byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.again = append(l.again, f)
		return
	}
	l.acks[receipt] = ack{f.Facility, body}
}

// awaitAnswers asks for every number that was ever given.
func (l *load) awaitAnswers() {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 5*time.Minute)
	defer cancel()
	for receipt, a := range l.acks {
		v, err := answered(ctx, func() (verdict, error) { return l.senders[a.facility].status(ctx, receipt) })
		if err != nil {
			l.t.Fatalf("%s: %v", receipt, err)
		}
		if len(v.HOSO) == 0 || v.Refused || v.HOSO["failed"] > 0 || v.HOSO["waiting"] > 0 {
			l.t.Errorf("%s: %+v", receipt, v)
		}
	}
}

// verify opens the data in this process.
func (l *load) verify() {
	l.t.Helper()
	n := openNode(l.t, l.place)
	l.originals(n)
	stands := rowsOf(l.t, n, `SELECT c.facility, c.ma_lk, r.blob, c.resources FROM claims_current c JOIN claims_receipt r ON r.id = c.receipt WHERE c.canon <> ''`, 4)
	if len(stands) == 0 {
		l.t.Fatal("nothing stands")
	}
	for _, s := range stands {
		l.whole(n, s[0], s[1], s[2], s[3])
	}
	if got := rowsOf(l.t, n, `SELECT id FROM ids WHERE typ = 'Encounter'`, 1); len(got) != len(stands) {
		l.t.Errorf("%d visits stand, the store has %d", len(stands), len(got))
	}
	l.logged(n)
	l.t.Logf("%d files acknowledged, %d visits stand whole", len(l.acks), len(stands))
}

// logged: every audit row is a leaf of the Merkle log, once, and what was signed before each kill still fits.
func (l *load) logged(n *Node) {
	l.t.Helper()
	if err := n.ledger.Seal(l.t.Context()); err != nil {
		l.t.Error(err)
	}
	r, err := n.VerifyAudit(l.t.Context(), nil)
	if err != nil || len(r.Findings) > 0 || r.Rows < int64(len(l.acks)) || r.Checkpoints == 0 {
		l.t.Errorf("the log: %+v %v", r, err)
	}
	l.t.Logf("%d audit rows verify against %d checkpoints", r.Rows, r.Checkpoints)
}

// originals: each acknowledged file is there, byte for byte.
func (l *load) originals(n *Node) {
	l.t.Helper()
	hash := map[string]string{}
	for _, r := range rowsOf(l.t, n, `SELECT id, blob FROM claims_receipt`, 2) {
		hash[r[0]] = r[1]
	}
	for receipt, a := range l.acks {
		sum := sha256.Sum256(a.body)
		if hash[receipt] != hex.EncodeToString(sum[:]) {
			l.t.Errorf("%s was acknowledged; its original is %q", receipt, hash[receipt])
		}
	}
	l.view(n, func(r store.Reader) error {
		for receipt, a := range l.acks {
			if body, err := blob.Get(l.t.Context(), r, hash[receipt]); err != nil || !bytes.Equal(body, a.body) {
				return fmt.Errorf("the original of %s: %w", receipt, err)
			}
		}
		return nil
	})
}

var shared = regexp.MustCompile(`"reference":"((?:Patient|Coverage)/[^"]+)"`)

// whole: the resources of a visit give back the claim that the original holds.
func (l *load) whole(n *Node, facility, maLK, hash, resources string) {
	l.t.Helper()
	l.view(n, func(r store.Reader) error {
		keys := strings.Fields(resources)
		var docs []*r4.Doc
		seen := map[string]bool{}
		for i := 0; i < len(keys); i++ {
			if seen[keys[i]] {
				continue
			}
			seen[keys[i]] = true
			typ, id, _ := strings.Cut(keys[i], "/")
			res, err := r.Read(l.t.Context(), store.Key{Type: typ, ID: id})
			if err != nil {
				return fmt.Errorf("%s %s lacks %s: %w", facility, maLK, keys[i], err)
			}
			doc, err := r4.Parse(res.Body)
			if err != nil {
				return err
			}
			docs = append(docs, doc)
			if typ == "Patient" || typ == "Coverage" {
				continue
			}
			for _, m := range shared.FindAllStringSubmatch(string(res.Body), -1) {
				keys = append(keys, m[1])
			}
		}
		got, err := fhirmap.Back(docs)
		if err != nil {
			return fmt.Errorf("%s %s: %w", facility, maLK, err)
		}
		body, err := blob.Get(l.t.Context(), r, hash)
		if err != nil {
			return err
		}
		return same(got, body, maLK)
	})
}

// same says whether a file holds this very visit.
func same(got *claim.HOSO, body []byte, maLK string) error {
	f, err := claim.Decode(body, claim.Limits{})
	if err != nil {
		return err
	}
	for _, h := range f.HOSO {
		if string(h.XML1.MA_LK) == maLK && bytes.Equal(claim.Canonical(h), claim.Canonical(got)) {
			return nil
		}
	}
	return fmt.Errorf("what stands of visit %s is not what was sent", maLK)
}

func (l *load) view(n *Node, f func(store.Reader) error) {
	l.t.Helper()
	a, err := trust.System(trust.JobIndex)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := n.store.View(l.t.Context(), a, f); err != nil {
		l.t.Error(err)
	}
}
