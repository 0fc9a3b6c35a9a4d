package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/id"
	"github.com/ytso/ytso/internal/room/claims"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

func benchCommand() command {
	return command{
		name:    "bench",
		summary: "speed and size on this machine, beside the raw engine in the same run",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			b := bench{}
			f.BoolVar(&b.json, "json", false, "JSON instead of a table")
			f.IntVar(&b.hoso, "hoso", 1000, "claim files to store")
			f.IntVar(&b.ops, "ops", 1000, "single creates, reads and searches")
			f.StringVar(&b.fhir, "fhir", "", "instead: the FHIR interface over a store of so many resources, or of several sizes one after the other (100000,1000000)")
			f.StringVar(&b.only, "only", "", "with --fhir: only the operations whose name begins so (create, bundle, read, search …)")
			f.StringVar(&b.database, "database", "", "with --fhir: postgres://… of an empty database instead of SQLite")
			f.StringVar(&b.profile, "profile", "", "file for a profile of the processor's time (go tool pprof)")
			return b.run
		},
	}
}

// bench measures a node of its own in a folder that is gone afterwards, with
// everything on that a real one has: gate, audit, encryption, fsync.
type bench struct {
	json      bool
	hoso, ops int
	profile   string

	fhir, only, database string // see bench_fhir.go

	node *Node
	out  benchReport
}

// benchReport is what `ytso bench --json` prints. Processor times are of the
// whole process, so they hold the garbage collector and the work of the system for it.
type benchReport struct {
	System     string           `json:"system"`
	Processors int              `json:"processors"`
	Go         string           `json:"go"`
	Claims     benchClaims      `json:"claims"`
	Raw        []benchRaw       `json:"raw"`
	Mix        []benchMix       `json:"mix"` // resources of each type per HOSO
	Operations []benchTime      `json:"operations"`
	Page       *benchPage       `json:"page,omitempty"`
	Bytes      map[string]int64 `json:"bytes"` // of the claim files, and of the database after them
}

// benchClaims is claim file → stored: decoded, checked, mapped, matched, written.
type benchClaims struct {
	HOSO           int     `json:"hoso"`
	Resources      int     `json:"resources"`
	Seconds        float64 `json:"seconds"`
	PerSecond      float64 `json:"hosoPerSecond"`
	CPUPerHOSO     float64 `json:"cpuMillisecondsPerHOSO"`
	CPUPerResource float64 `json:"cpuMillisecondsPerResource"`
	Commits        int64   `json:"commits"`
}

// benchRaw is the same rows into the same tables by prepared statements.
type benchRaw struct {
	Name       string  `json:"name"` // "encrypted" or "plain"
	Rows       int     `json:"rows"`
	Commits    int     `json:"commits"`
	Seconds    float64 `json:"seconds"`
	PerSecond  float64 `json:"hosoPerSecond"`
	CPUPerHOSO float64 `json:"cpuMillisecondsPerHOSO"`
	Share      float64 `json:"share"`    // real HOSO/s ÷ raw HOSO/s
	CPUShare   float64 `json:"cpuShare"` // raw CPU ÷ real CPU
}

type benchMix struct {
	Type    string  `json:"type"`
	PerHOSO float64 `json:"perHOSO"`
}

type benchTime struct {
	Name   string  `json:"name"` // create, read, search
	CPU    float64 `json:"cpuMilliseconds"`
	Budget float64 `json:"budgetMilliseconds"` // DESIGN.md §5
}

// benchPage is the health book of one person, asked for over the loopback.
type benchPage struct {
	Visits int     `json:"visits"`
	Median float64 `json:"medianMilliseconds"`
	Slow   float64 `json:"slowestMilliseconds"`
	CPU    float64 `json:"cpuMilliseconds"`
	Budget float64 `json:"budgetMilliseconds"`
}

const (
	benchSenders = 32  // files on their way at a time, as from many hospitals
	benchWarm    = 50  // files before the clock runs: definitions are compiled by them
	benchVisits  = 300 // of the person whose book is opened
)

func (b *bench) run(ctx context.Context, std Streams, args []string) (err error) {
	if len(args) > 0 {
		return usagef("bench takes no word %q", args[0])
	}
	if b.hoso < 1 || b.ops < 1 {
		return usagef("--hoso and --ops want at least 1")
	}
	if b.fhir != "" {
		return b.runFHIR(ctx, std)
	}
	if b.only != "" || b.database != "" {
		return usagef("--only and --database go with --fhir")
	}
	dir, err := os.MkdirTemp("", "ytso-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p := place{data: filepath.Join(dir, "data"), key: filepath.Join(dir, "key")}
	if err := p.settle(); err != nil {
		return err
	}
	if b.node, err = Open(ctx, p.options(std)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.node.Close()) }()
	b.out = benchReport{
		System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU(), Go: runtime.Version(), Bytes: map[string]int64{},
	}
	for _, step := range []func(context.Context, string) error{b.claims, b.raw, b.single, b.page} {
		if err := step(ctx, dir); err != nil {
			return err
		}
	}
	if b.json {
		e := json.NewEncoder(std.Out)
		e.SetIndent("", "  ")
		return e.Encode(b.out)
	}
	return b.out.table(std.Out)
}

// benchFile is a claim file as a hospital sends it.
type benchFile struct {
	facility string
	body     []byte
}

// files writes claim files of the invented province: of the person of a
// thousand visits the first many, or of everybody else.
func (b *bench) files(n int, often bool) (list []benchFile, number string, err error) {
	people := 600 + n // each has a visit a year, some many
	p := synth.New(synth.Options{People: people})
	who := 0
	for who < people && !slices.Contains(p.Person(who).Stories, "thousand-visits") {
		who++
	}
	number = p.Person(who).Number
	for f := range p.Files() {
		if (string(f.Claim.HOSO[0].XML1.SO_CCCD) == number) != often {
			continue
		}
		body, err := claim.Encode(f.Claim)
		if err != nil {
			return nil, "", err
		}
		if list = append(list, benchFile{f.Facility, body}); len(list) == n {
			return list, number, nil
		}
	}
	return nil, "", fmt.Errorf("the invented province has %d such files, %d are asked for", len(list), n)
}

// send gives files to the claims room, some at a time, and waits for the answers.
func (b *bench) send(ctx context.Context, files []benchFile) error {
	a, err := trust.System(trust.JobImport)
	if err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(benchSenders)
	for _, f := range files {
		work.Go(func() error {
			_, err := b.node.claims.Receive(ctx, a, claims.Upload{Facility: f.facility, Door: "import", Name: "bench.xml", Sender: "bench", Body: f.body})
			return err
		})
	}
	err = work.Wait()
	b.node.claims.Drain()
	return err
}

func (b *bench) claims(ctx context.Context, dir string) error {
	files, _, err := b.files(b.hoso+benchWarm, false)
	if err != nil {
		return err
	}
	if err := b.send(ctx, files[:benchWarm]); err != nil {
		return err
	}
	before, err := b.mix(ctx)
	if err != nil {
		return err
	}
	stop, err := b.watch()
	if err != nil {
		return err
	}
	commits := b.node.store.Commits()
	wall, cpu, err := timed(func() error { return b.send(ctx, files[benchWarm:]) })
	commits = b.node.store.Commits() - commits
	if err = errors.Join(err, stop()); err != nil {
		return err
	}
	after, err := b.mix(ctx)
	if err != nil {
		return err
	}
	n := float64(b.hoso)
	c := benchClaims{HOSO: b.hoso, Seconds: wall.Seconds(), PerSecond: n / wall.Seconds(), CPUPerHOSO: ms(cpu) / n, Commits: commits}
	for typ, count := range after {
		if made := count - before[typ]; made > 0 {
			c.Resources += made
			b.out.Mix = append(b.out.Mix, benchMix{typ, float64(made) / n})
		}
	}
	slices.SortFunc(b.out.Mix, func(x, y benchMix) int { return strings.Compare(x.Type, y.Type) })
	c.CPUPerResource = ms(cpu) / float64(c.Resources)
	b.out.Claims = c
	for _, f := range files {
		b.out.Bytes["claims"] += int64(len(f.body))
	}
	return b.whole(ctx)
}

// whole fails when something of what was sent did not become a stored visit: then there is nothing to compare.
func (b *bench) whole(ctx context.Context) error {
	return b.look(ctx, func(r store.Reader) error {
		n, err := numberOf(ctx, r, `SELECT COUNT(*) FROM claims_hoso WHERE state = 'stored'`)
		if err == nil && n != int64(b.hoso+benchWarm) {
			err = fmt.Errorf("%d of %d HOSO were stored", n, b.hoso+benchWarm)
		}
		return err
	})
}

// watch starts the profile, if one is wanted; stop ends it.
func (b *bench) watch() (stop func() error, err error) {
	if b.profile == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(b.profile)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// look reads the store's tables as the server's own work may.
func (b *bench) look(ctx context.Context, f func(store.Reader) error) error {
	a, err := trust.System(trust.JobIndex)
	if err != nil {
		return err
	}
	return b.node.store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "bench"})
		return f(r)
	})
}

// mix counts the resources by type.
func (b *bench) mix(ctx context.Context) (m map[string]int, err error) {
	err = b.look(ctx, func(r store.Reader) error {
		m = map[string]int{}
		rows, err := r.Query(ctx, `SELECT typ, COUNT(*) FROM res GROUP BY typ`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var typ string
			var n int
			if err := rows.Scan(&typ, &n); err != nil {
				return err
			}
			m[typ] = n
		}
		return rows.Err()
	})
	return m, err
}

func numberOf(ctx context.Context, r store.Reader, sql string) (n int64, err error) {
	rows, err := r.Query(ctx, sql)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&n)
	}
	return n, errors.Join(err, rows.Err())
}

func timed(f func() error) (wall, cpu time.Duration, err error) {
	runtime.GC() // what was left by what went before is not this work's
	start, used := time.Now(), cpuTime()
	err = f()
	return time.Since(start), cpuTime() - used, err
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// single measures one create, read and search of 20 rows at a time, from
// several callers, each through the gate as a hospital's.
func (b *bench) single(ctx context.Context, _ string) error {
	const facility = "25001"
	ctx = trust.With(ctx, trust.Principal{Agent: store.Agent{Kind: store.Machine, ID: "bench", Role: trust.RoleMachine, Facility: facility}})
	access := func() (store.Access, error) { return b.node.gate.Access(ctx, trust.Payment) }
	patient, made := id.UUID(), make([]string, b.ops)
	create := func(i int) error {
		a, err := access()
		if err != nil {
			return err
		}
		made[i] = id.UUID()
		p, err := b.node.store.Prepare(store.Draft{Key: store.Key{Type: "Observation", ID: made[i]}, Body: benchObservation(patient, i), Owner: facility})
		if err != nil {
			return err
		}
		return b.node.store.Update(ctx, a, func(tx store.Tx) error {
			_, err := tx.Put(ctx, p)
			return err
		})
	}
	read := func(i int) error {
		a, err := access()
		if err != nil {
			return err
		}
		return b.node.store.View(ctx, a, func(r store.Reader) error {
			_, err := r.Read(ctx, store.Key{Type: "Observation", ID: made[i]})
			return err
		})
	}
	search := func(int) error {
		a, err := access()
		if err != nil {
			return err
		}
		q, err := param.Parse("Observation", url.Values{"patient": {patient}, "code": {"http://loinc.org|4548-4"}, "_count": {"20"}})
		if err != nil {
			return err
		}
		return b.node.store.View(ctx, a, func(r store.Reader) error {
			page, err := r.Search(ctx, q)
			if err == nil && len(page.Matches) != min(20, b.ops) {
				err = fmt.Errorf("%d rows found", len(page.Matches))
			}
			return err
		})
	}
	for _, o := range []struct {
		name   string
		budget float64 // DESIGN.md §5
		do     func(int) error
	}{{"create", 1, create}, {"read", 0.25, read}, {"search", 1.5, search}} {
		_, cpu, err := timed(func() error {
			var work errgroup.Group
			work.SetLimit(benchSenders)
			for i := range b.ops {
				work.Go(func() error { return o.do(i) })
			}
			return work.Wait()
		})
		if err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		b.out.Operations = append(b.out.Operations, benchTime{o.name, ms(cpu) / float64(b.ops), o.budget})
	}
	return nil
}

func benchObservation(patient string, i int) []byte {
	day := time.Date(2026, 1, 1, 8, 0, 0, 0, claim.VietNam).AddDate(0, 0, i%180)
	return fmt.Appendf(nil, `{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],`+
		`"code":{"coding":[{"system":"http://loinc.org","code":"4548-4","display":"HbA1c"}],"text":"HbA1c"},"subject":{"reference":"Patient/%s"},"effectiveDateTime":%q,`+
		`"performer":[{"type":"Organization","identifier":{"system":%q,"value":"25001"}}],"valueQuantity":{"value":%d.%d,"unit":"%%","system":"http://unitsofmeasure.org","code":"%%"}}`,
		patient, day.Format(time.RFC3339), element.MACSKCB, 5+i%7, i%10)
}

// page measures the first page of the health book of somebody with many
// visits, as that person gets it: signed in, over HTTP.
func (b *bench) page(ctx context.Context, _ string) error {
	files, number, err := b.files(benchVisits, true)
	if err != nil {
		return err
	}
	if err := b.send(ctx, files); err != nil {
		return err
	}
	person, err := b.person(ctx, number)
	if err != nil {
		return err
	}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: b.node.Handler(), ReadHeaderTimeout: time.Minute}
	defer server.Close()
	go func() { _ = server.Serve(listen) }() // ends with Close
	base := "http://" + listen.Addr().String()
	client, err := b.signedIn(ctx, base, person)
	if err != nil {
		return err
	}
	const times = 31
	var took []float64
	for i := range times + 1 {
		wall, cpu, err := timed(func() error { return opened(ctx, client, base+"/so") })
		if err != nil {
			return err
		}
		if i == 0 {
			b.out.Page = &benchPage{Visits: benchVisits, Budget: 50} // the first is for warming up
			continue
		}
		took = append(took, ms(wall))
		b.out.Page.CPU += ms(cpu) / times
	}
	slices.Sort(took)
	b.out.Page.Median, b.out.Page.Slow = took[times/2], took[times-1]
	return nil
}

// person finds the golden Patient with a number.
func (b *bench) person(ctx context.Context, number string) (person string, err error) {
	q, err := param.Parse("Patient", url.Values{"identifier": {element.CCCD + "|" + number}, "_tag": {"urn:ytso:tag|golden"}})
	if err != nil {
		return "", err
	}
	err = b.look(ctx, func(r store.Reader) error {
		found, err := r.Search(ctx, q)
		if err != nil {
			return err
		}
		if len(found.Matches) != 1 {
			return fmt.Errorf("%d persons have the number", len(found.Matches))
		}
		person = found.Matches[0].Key.ID
		return nil
	})
	return person, err
}

// signedIn is a browser with the session of a citizen.
func (b *bench) signedIn(ctx context.Context, base, person string) (*http.Client, error) {
	link, err := b.node.SignInLink(ctx, linkFor{Role: trust.RoleCitizen, Person: person})
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar, Timeout: time.Minute}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+link.Path, nil)
	if err != nil {
		return nil, err
	}
	return client, fetch(client, req)
}

func opened(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return fetch(client, req)
}

// fetch reads an answer to its end; only 200 is good.
func fetch(client *http.Client, req *http.Request) error {
	req.Header.Set("Accept", "text/html")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", req.URL.Path, resp.Status)
	}
	return nil
}

// table prints the report for people.
func (r benchReport) table(w io.Writer) error {
	var s strings.Builder
	line := func(name, value string) { fmt.Fprintf(&s, "  %-46s %s\n", name, value) }
	fmt.Fprintf(&s, "%s, %d processors, %s\n\n", r.System, r.Processors, r.Go)
	s.WriteString("Hồ sơ → kho (claim file → stored): giải mã, kiểm tra, ánh xạ, ghép người, ghi; có cổng quyền, nhật ký, mã hóa\n")
	line("HOSO/s", fmt.Sprintf("%.0f   (%d HOSO, %.1f s, %d commits)", r.Claims.PerSecond, r.Claims.HOSO, r.Claims.Seconds, r.Claims.Commits))
	line("CPU ms / HOSO", fmt.Sprintf("%.2f", r.Claims.CPUPerHOSO))
	line("CPU ms / resource", fmt.Sprintf("%.3f   (≤ 0.5)", r.Claims.CPUPerResource))
	s.WriteString("\nCùng các dòng ấy ghi thẳng vào cùng các bảng (raw: the same rows by prepared statements, as many commits)\n")
	for _, x := range r.Raw {
		line("raw, "+x.Name, fmt.Sprintf("%.0f HOSO/s, %.2f CPU ms/HOSO   (%d rows, %d commits)", x.PerSecond, x.CPUPerHOSO, x.Rows, x.Commits))
		line("  real ÷ raw", fmt.Sprintf("%.0f %% of HOSO/s, %.0f %% of CPU", 100*x.Share, 100*x.CPUShare))
	}
	fmt.Fprintf(&s, "\nTài nguyên mỗi HOSO (resources per HOSO): %.1f\n", float64(r.Claims.Resources)/float64(r.Claims.HOSO))
	for _, m := range r.Mix {
		line(m.Type, fmt.Sprintf("%.2f", m.PerHOSO))
	}
	s.WriteString("\nTừng thao tác (single operations), CPU ms\n")
	for _, o := range r.Operations {
		line(o.Name, fmt.Sprintf("%.3f   (≤ %g)", o.CPU, o.Budget))
	}
	if r.Page != nil {
		fmt.Fprintf(&s, "\nSổ sức khỏe của người có %d lượt khám (health book), qua HTTP\n", r.Page.Visits)
		line("ms", fmt.Sprintf("%.1f median, %.1f slowest of 31   (≤ %g)", r.Page.Median, r.Page.Slow, r.Page.Budget))
		line("CPU ms", fmt.Sprintf("%.1f", r.Page.CPU))
	}
	fmt.Fprintf(&s, "\nKích thước (size): %.1f KB claim file and %.1f KB database per HOSO\n",
		float64(r.Bytes["claims"])/1024/float64(r.Claims.HOSO+benchWarm), float64(r.Bytes["database"])/1024/float64(r.Claims.HOSO+benchWarm))
	_, err := io.WriteString(w, s.String())
	return err
}
