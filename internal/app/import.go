package app

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/room/claims"
)

func importCommand() command {
	return command{
		name: "import", args: "FILE|DIR…",
		summary: "takes in claim files (XML) and FHIR resources (JSON, NDJSON); goes on where it was broken off",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			i := importer{}
			i.flags(f)
			f.StringVar(&i.facility, "facility", "", "code of the facility whose files these are (default: what each claim file says)")
			f.BoolVar(&i.bulk, "bulk", false, "many files at a time")
			return i.run
		},
	}
}

type importer struct {
	place
	facility string
	bulk     bool
}

// atOnce is how many files are on their way; with --bulk commits are shared by more of them.
func (i *importer) atOnce() int {
	if i.bulk {
		return 32
	}
	return 2
}

func (i *importer) run(ctx context.Context, std Streams, args []string) (err error) {
	if len(args) == 0 {
		return usagef("import needs a file or a folder")
	}
	files, err := importable(args)
	if err != nil {
		return err
	}
	op, err := i.operator(ctx, std)
	if err != nil {
		return err
	}
	defer func() {
		if e := op.Close(); err == nil {
			err = e
		}
	}()
	t := tally{out: std.Out, all: len(files), hoso: map[claims.HOSOState]int{}, live: terminal(std.Out)}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(i.atOnce())
	for _, name := range files {
		if ctx.Err() != nil {
			break
		}
		work.Go(func() error { return i.one(ctx, op, &t, name) })
	}
	err = work.Wait()
	t.summary()
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprint(std.Out, "Dừng giữa chừng. Chạy lại lệnh này để làm tiếp.\nBroken off. The same command goes on from here.\n")
		return errFindings
	case err == nil && t.bad():
		return errFindings
	}
	return err
}

// one takes in a file and waits for its answer, so that no more than a few are on their way.
func (i *importer) one(ctx context.Context, op operator, t *tally, name string) error {
	body, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	p := parcel{Facility: i.facility, Name: filepath.Base(name), Body: body}
	kind := kindOf(name, body)
	switch kind {
	case fhirXML:
		t.refused(name, errFHIRXML)
		return nil
	case fhirJSON:
		k, err := op.Keep(ctx, p)
		if err != nil {
			if ours(err) {
				return fmt.Errorf("%s: %w", name, err)
			}
			t.refused(name, outcome.As(err))
			return nil
		}
		t.resources(k)
		return nil
	}
	got, err := op.Receive(ctx, p)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if got.Known {
		t.known()
		return nil
	}
	v, err := answered(ctx, func() (verdict, error) { return op.Answer(ctx, got.Receipt) })
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	t.claim(name, v)
	return nil
}

// ours says whether an error is no fault of the file.
func ours(err error) bool {
	k := outcome.KindOf(err)
	return k == outcome.Exception || k == outcome.Transient || k == outcome.Timeout
}

// answered asks until every HOSO of a file has its answer, less and less often.
func answered(ctx context.Context, ask func() (verdict, error)) (v verdict, err error) {
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		if v, err = ask(); err != nil || v.Finished {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(pause):
		}
	}
}

type fileKind int

const (
	claimXML fileKind = iota
	fhirJSON
	fhirXML
)

var errFHIRXML = outcome.New(outcome.NotSupported, "import.fhir-xml",
	"Tệp là FHIR dạng XML, bản này chưa đọc được. Hãy xuất lại dạng JSON.",
	"The file is FHIR in XML, which this version does not read yet. Export it as JSON.")

// kindOf tells the sorts of files apart by how they begin.
func kindOf(name string, body []byte) fileKind {
	head := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\uFEFF")), " \t\r\n")
	switch {
	case len(head) > 0 && head[0] == '{', strings.HasSuffix(strings.ToLower(name), "json"):
		return fhirJSON
	case bytes.Contains(head[:min(1024, len(head))], []byte("http://hl7.org/fhir")):
		return fhirXML
	}
	return claimXML
}

var importExt = []string{".xml", ".json", ".ndjson"}

// importable spreads folders into the files below them that can be imported, in order of name.
func importable(args []string) ([]string, error) {
	var out []string
	for _, a := range args {
		err := filepath.WalkDir(a, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (path == a || slices.Contains(importExt, strings.ToLower(filepath.Ext(path)))) {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// tally counts what became of the files.
type tally struct {
	mu                         sync.Mutex
	out                        io.Writer
	live                       bool // a terminal: the line of progress is written over
	all, done, skipped, turned int
	written, same              int
	hoso                       map[claims.HOSOState]int
	shown                      time.Time
}

func (t *tally) known() { t.step(func() { t.skipped++ }) }

func (t *tally) resources(k kept) {
	t.step(func() { t.written, t.same = t.written+k.Written, t.same+k.Unchanged })
}

func (t *tally) refused(name string, e *outcome.Error) {
	t.step(func() {
		t.turned++
		t.say(name, e.VI, e.EN)
	})
}

func (t *tally) claim(name string, v verdict) {
	t.step(func() {
		if v.Refused {
			t.turned++
			t.say(name, v.VI, v.EN)
		}
		for s, n := range v.HOSO {
			t.hoso[s] += n
		}
		if n := v.HOSO[claims.HOSORefused]; n > 0 {
			t.say(name, fmt.Sprintf("%d hồ sơ bị từ chối; xem từng lỗi bằng `ytso check`.", n),
				fmt.Sprintf("%d HOSO refused; `ytso check` shows each finding.", n))
		}
	})
}

func (t *tally) say(name, vi, en string) {
	fmt.Fprintf(t.out, "%s%s: %s\n%*s  %s\n", t.erase(), name, vi, len(name), "", en)
}

// lineWidth is what a line of progress is wiped with: an old Windows console knows no escapes.
const lineWidth = 60

func (t *tally) erase() string {
	if t.live {
		return fmt.Sprintf("\r%*s\r", lineWidth, "")
	}
	return ""
}

func (t *tally) step(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
	t.done++
	if t.live && time.Since(t.shown) > 100*time.Millisecond {
		t.shown = time.Now()
		fmt.Fprintf(t.out, "%s%d/%d tệp (files)", t.erase(), t.done, t.all)
	}
}

func (t *tally) summary() {
	h := t.hoso
	fmt.Fprintf(t.out, `%s%d/%d tệp: %d đã nhận từ trước, %d bị từ chối cả tệp
  HOSO: %d đã lưu, %d bị từ chối, %d không đổi, %d cũ hơn bản đang có, %d lỗi hệ thống
  FHIR: %d tài nguyên đã ghi, %d không đổi
%d of %d files: %d known from before, %d refused whole
  HOSO: %d stored, %d refused, %d unchanged, %d older than what stands, %d failed
  FHIR: %d resources written, %d unchanged
`, t.erase(), t.done, t.all, t.skipped, t.turned,
		h[claims.HOSOStored], h[claims.HOSORefused], h[claims.HOSOUnchanged], h[claims.HOSOOlder], h[claims.HOSOFailed], t.written, t.same,
		t.done, t.all, t.skipped, t.turned,
		h[claims.HOSOStored], h[claims.HOSORefused], h[claims.HOSOUnchanged], h[claims.HOSOOlder], h[claims.HOSOFailed], t.written, t.same)
}

func (t *tally) bad() bool {
	return t.turned+t.hoso[claims.HOSORefused]+t.hoso[claims.HOSOFailed] > 0
}

// terminal says whether somebody watches the stream.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
