package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// `ytso bench --fhir N`: a store of N invented resources, as visits become
// them, and what each interaction costs upon it, asked through the whole
// handler with a bearer token: gate, audit, validation, encryption, fsync.

// fhirReport is what `ytso bench --fhir N --json` prints.
type fhirReport struct {
	System     string     `json:"system"`
	Processors int        `json:"processors"`
	Go         string     `json:"go"`
	Engine     string     `json:"engine"`                 // "sqlite" or "postgres"; the time of a server on this machine is in the figures
	Start      float64    `json:"emptyStartMilliseconds"` // of a store that is there and empty
	Idle       float64    `json:"idleMegabytes"`          // resident, before anything is stored
	Sizes      []fhirSize `json:"sizes"`
}

// fhirSize is one size of the store.
type fhirSize struct {
	Resources  int            `json:"resources"`
	Visits     int            `json:"visits"`
	Fill       float64        `json:"fillCPUMillisecondsPerResource"` // prepared and put, unvalidated
	Mix        map[string]int `json:"mix"`
	Resident   float64        `json:"residentMegabytes"`
	Operations []fhirTime     `json:"operations"`
}

// fhirTime is one interaction. Times are the processor's, of the whole process.
type fhirTime struct {
	Name    string  `json:"name"`
	Times   int     `json:"times"`
	CPU     float64 `json:"cpuMilliseconds"`
	Budget  float64 `json:"budgetMilliseconds,omitempty"`
	Wall    float64 `json:"wallMilliseconds"`               // of one, with others beside it
	Rows    float64 `json:"rows"`                           // in an answer
	Raw     float64 `json:"rawCPUMilliseconds,omitempty"`   // the same rows by prepared statements
	Share   float64 `json:"share,omitempty"`                // Raw ÷ CPU
	Growth  float64 `json:"growthSinceFirstSize,omitempty"` // ÷ CPU at the first size
	Refused string  `json:"refused,omitempty"`              // what the server says that it can't answer
}

// apiBench is one run.
type apiBench struct {
	*bench
	out    fhirReport
	sample *fhirSample
	fill   *filler
	token  map[string]string // by facility; "" is the operator's
}

func (b *bench) sizes() (list []int, err error) {
	for s := range strings.SplitSeq(b.fhir, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 100 || len(list) > 0 && n <= list[len(list)-1] {
			return nil, usagef("--fhir wants a number of resources, at least 100, or several that grow")
		}
		list = append(list, n)
	}
	return list, nil
}

func (b *bench) runFHIR(ctx context.Context, std Streams) (err error) {
	sizes, err := b.sizes()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ytso-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	a := &apiBench{bench: b, token: map[string]string{}, out: fhirReport{
		System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU(), Go: runtime.Version(), Engine: "sqlite",
	}}
	if b.database != "" {
		a.out.Engine = "postgres"
	}
	if err := a.start(ctx, std, dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.node.Close()) }()
	a.fill = newFiller(sizes[len(sizes)-1])
	defer a.fill.stop()
	for _, n := range sizes {
		if err := a.at(ctx, n, std.Err); err != nil {
			return err
		}
	}
	if b.json {
		e := json.NewEncoder(std.Out)
		e.SetIndent("", "  ")
		return e.Encode(a.out)
	}
	return a.out.table(std.Out)
}

// start makes the store, then opens it again: what an empty start takes, and what an idle server holds.
func (a *apiBench) start(ctx context.Context, std Streams, dir string) error {
	p := place{data: filepath.Join(dir, "data"), key: filepath.Join(dir, "key"), database: a.database}
	if a.database != "" {
		p.data = ""
	}
	if err := p.settle(); err != nil {
		return err
	}
	quiet := Streams{In: std.In, Out: std.Out, Err: io.Discard} // the log is written, for its cost is real, but not shown
	node, err := Open(ctx, p.options(quiet))
	if err != nil {
		return err
	}
	if err := node.Close(); err != nil {
		return err
	}
	begin := time.Now()
	if a.node, err = Open(ctx, p.options(quiet)); err != nil {
		return err
	}
	if err := a.node.Ready(ctx); err != nil {
		return errors.Join(err, a.node.Close())
	}
	a.out.Start = ms(time.Since(begin))
	debug.FreeOSMemory()
	a.out.Idle = resident()
	return nil
}

// at fills the store to n resources and measures.
func (a *apiBench) at(ctx context.Context, n int, progress io.Writer) error {
	size := fhirSize{Visits: a.fill.visits}
	before := a.fill.count
	fmt.Fprintf(progress, "filling to %d resources …\n", n)
	_, cpu, err := a.timed(ctx, func() error { return a.fill.to(ctx, a.node, n) })
	if err != nil {
		return fmt.Errorf("filling: %w", err)
	}
	size.Resources, size.Visits = a.fill.count, a.fill.visits
	size.Fill = ms(cpu) / float64(max(1, a.fill.count-before))
	size.Mix = a.fill.mixed()
	a.sample = a.fill.sample()
	for _, op := range a.operations() {
		if !strings.HasPrefix(op.name, a.only) {
			continue
		}
		t, err := a.measure(ctx, op)
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		fmt.Fprintf(progress, "%s: %.3f CPU ms %s\n", t.Name, t.CPU, t.Refused) // a long run that is broken off has still told
		size.Operations = append(size.Operations, t)
	}
	size.Resident = resident()
	if len(a.out.Sizes) > 0 {
		size.grown(a.out.Sizes[0])
	}
	a.out.Sizes = append(a.out.Sizes, size)
	return nil
}

// grown compares with the first size.
func (s *fhirSize) grown(first fhirSize) {
	for i, o := range s.Operations {
		for _, f := range first.Operations {
			if f.Name == o.Name && f.CPU > 0 {
				s.Operations[i].Growth = o.CPU / f.CPU
			}
		}
	}
}

// resident is the memory that this process holds, in MB; 0 where /proc doesn't tell.
func resident() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	kb, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return 0
	}
	return kb / 1024
}

// table prints the report for people.
func (r fhirReport) table(w io.Writer) error {
	var s strings.Builder
	fmt.Fprintf(&s, "%s, %d processors, %s, %s\n", r.System, r.Processors, r.Go, r.Engine)
	fmt.Fprintf(&s, "Khởi động khi trống (empty start): %.0f ms   (≤ 1000)      RSS lúc rảnh (idle): %.0f MB   (≤ 60)\n", r.Start, r.Idle)
	for _, size := range r.Sizes {
		fmt.Fprintf(&s, "\n%d tài nguyên (resources), %d lượt khám (visits); fill %.3f CPU ms each, unvalidated; RSS %.0f MB\n", size.Resources, size.Visits, size.Fill, size.Resident)
		fmt.Fprintf(&s, "  %-34s %9s %9s %9s %7s %7s %7s\n", "", "CPU ms", "budget", "raw", "share", "rows", "growth")
		for _, o := range size.Operations {
			dash := func(format string, v float64) string {
				if v == 0 {
					return "–"
				}
				return fmt.Sprintf(format, v)
			}
			if o.Refused != "" {
				fmt.Fprintf(&s, "  %-34s %s\n", o.Name, o.Refused)
				continue
			}
			fmt.Fprintf(&s, "  %-34s %9.3f %9s %9s %7s %7.0f %7s\n", o.Name, o.CPU, dash("≤ %g", o.Budget), dash("%.3f", o.Raw), dash("%.0f %%", 100*o.Share), o.Rows, dash("%.2f×", o.Growth))
		}
	}
	_, err := io.WriteString(w, s.String())
	return err
}
