package app

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	named    []string // what the command named, beside what lies in folders
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
	i.named = args
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

// one takes in a file. An error is ours; what is wrong with the file is said in the tally.
func (i *importer) one(ctx context.Context, op operator, t *tally, name string) error {
	body, err := i.read(name)
	if err != nil {
		t.refused(name, outcome.As(err))
		return nil
	}
	p := parcel{Facility: i.facility, Name: filepath.Base(name), Body: body}
	switch kindOf(name, body) {
	case fhirJSON, fhirXML:
		err = keepResources(ctx, op, t, name, p)
	default:
		err = takeClaim(ctx, op, t, name, p)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// maxImport bounds a file: it is held in memory whole, and the server's machine may be small.
const maxImport = 1 << 30

var (
	errUnreadable = outcome.New(outcome.NotFound, "import.unreadable",
		"Không đọc được tệp này. Hãy xem tệp còn ở đó không và tài khoản chạy lệnh có quyền đọc không.",
		"The file can't be read. See whether it is still there and whether the account of this command may read it.")
	errNoFile = outcome.New(outcome.NotSupported, "import.no-file",
		"Không phải tệp thường (thư mục, thiết bị hoặc ống dẫn mang tên như một tệp).",
		"Not a regular file but a folder, a device or a pipe with the name of one.")
	errBigFile = outcome.New(outcome.TooLong, "import.big",
		"Tệp lớn hơn 1 GB. Hãy chia thành nhiều tệp nhỏ hơn.", "The file is larger than 1 GB. Please split it.")
)

// read reads a file that was found in a folder or named; only what was named may be a pipe.
func (i *importer) read(name string) ([]byte, error) {
	f, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, errUnreadable.Because(err)
	case f.IsDir(), !f.Mode().IsRegular() && !slices.Contains(i.named, name):
		return nil, errNoFile
	case f.Size() > maxImport:
		return nil, errBigFile
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, errUnreadable.Because(err)
	}
	return body, nil
}

// keepPart is how much of a file with one resource a line is handed over at a
// time: so far it has come when it is broken off.
const keepPart = 8 << 20

// keepResources hands FHIR resources over. What kept some of them out is said with their place.
func keepResources(ctx context.Context, op operator, t *tally, name string, p parcel) error {
	var sum kept
	rest := p.Body
	for len(rest) > 0 {
		p.Body = rest
		if strings.HasSuffix(strings.ToLower(name), ".ndjson") {
			p.Body = firstLines(rest, keepPart)
		}
		rest = rest[len(p.Body):]
		k, err := op.Keep(ctx, p)
		switch {
		case err == nil:
		case ours(err):
			return err
		default:
			t.refused(name, outcome.As(err))
			return nil
		}
		p.Lines += bytes.Count(p.Body, []byte("\n"))
		sum = kept{sum.Written + k.Written, sum.Unchanged + k.Unchanged, append(sum.Faults, k.Faults...)}
	}
	t.resources(name, sum)
	return nil
}

// firstLines cuts off whole lines of about a size.
func firstLines(body []byte, size int) []byte {
	if len(body) <= size {
		return body
	}
	if at := bytes.IndexByte(body[size:], '\n'); at >= 0 {
		return body[:size+at+1]
	}
	return body
}

// takeClaim waits for the file's answer, so that no more than a few are on their way.
func takeClaim(ctx context.Context, op operator, t *tally, name string, p parcel) error {
	got, err := op.Receive(ctx, p)
	if err != nil {
		return err
	}
	if got.Known {
		t.known()
		return nil
	}
	v, err := answered(ctx, func() (verdict, error) { return op.Answer(ctx, got.Receipt) })
	if err == nil {
		t.claim(name, v)
	}
	return err
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

// importable spreads folders into the files below them that can be imported, in
// order of name. A folder below them that can't be read is listed, to be told of as a file would be.
func importable(args []string) ([]string, error) {
	var out []string
	for _, a := range args {
		err := filepath.WalkDir(a, func(path string, d fs.DirEntry, err error) error {
			if err != nil && path != a {
				out = append(out, path)
				return fs.SkipDir
			}
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
