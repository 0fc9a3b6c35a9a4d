package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/core"
	"github.com/ytso/ytso/fhir/ips"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/pack"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/vn/profile"
)

func validateCommand() command {
	return command{
		name:    "validate",
		summary: "says what is wrong with FHIR resources, one JSON object a line (id, file, supporting, profile, questionnaire), in the same order",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			lines := f.Bool("jsonl", false, "questions on standard input, answers on standard output")
			lang := f.String("lang", "en", "language of the sentences: vi or en")
			unknown := f.Bool("unknown-extensions", false, "let extensions through whose definition is not at hand, as a server does")
			var packages []string
			f.Func("package", "FHIR package `FILE.tgz` whose definitions are known; may be given again", func(name string) error {
				packages = append(packages, name)
				return nil
			})
			return func(ctx context.Context, std Streams, args []string) error {
				if !*lines || len(args) > 0 || *lang != "vi" && *lang != "en" {
					return usagef("validate wants --jsonl, --lang vi or en, and no further word")
				}
				source, err := openPackages(packages)
				if err != nil {
					return err
				}
				source = append(source, ips.New(), core.New(), term.Official(), profile.New())
				j := &judge{official: source, vietnamese: *lang == "vi", known: !*unknown}
				j.usual = validate.New(j.official, term.New(j.official))
				return answerLines(ctx, std, j.answer)
			}
		},
	}
}

// openPackages reads packages; those given last are asked first.
func openPackages(names []string) (source canon.Sources, err error) {
	for _, name := range slices.Backward(names) {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		p, err := pack.Read(f, pack.Usual)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		source = append(source, p)
	}
	return source, nil
}

// judge answers the lines of `ytso validate --jsonl`.
type judge struct {
	official   canon.Sources
	usual      *validate.Validator // over the official definitions alone
	vietnamese bool
	known      bool
}

// validation is a line of `ytso validate --jsonl`. A resource is the name of a
// file, JSON or XML as text, or a JSON object; profile and questionnaire may
// also be canonicals. What is in supporting can be found by its canonical, and
// by Type/id where a reference names it.
type validation struct {
	ID            json.RawMessage   `json:"id"`
	File          json.RawMessage   `json:"file"`
	Format        string            `json:"format"` // told by the content; only checked
	Supporting    []json.RawMessage `json:"supporting"`
	Profile       json.RawMessage   `json:"profile"`
	Questionnaire json.RawMessage   `json:"questionnaire"`
}

// judgement is what it says: issues, or why the resource could not be looked at.
type judgement struct {
	ID     json.RawMessage `json:"id"`
	Issues *[]finding      `json:"issues,omitempty"`
	Error  string          `json:"error,omitempty"`
}

// finding is an issue as in an OperationOutcome.
type finding struct {
	Severity   string   `json:"severity"`
	Code       string   `json:"code"`
	Expression []string `json:"expression,omitempty"`
	Text       string   `json:"text"`
}

func (j *judge) answer(ctx context.Context, line []byte) any {
	var q validation
	if err := json.Unmarshal(line, &q); err != nil {
		return judgement{ID: q.ID, Error: "jsonl: " + err.Error()}
	}
	found, err := j.judge(ctx, q)
	if err != nil {
		e := outcome.As(err)
		return judgement{ID: q.ID, Error: e.Key + ": " + e.EN}
	}
	return judgement{ID: q.ID, Issues: &found}
}

func (j *judge) judge(ctx context.Context, q validation) ([]finding, error) {
	src, isFile, err := given(q.File)
	if err != nil {
		return nil, err
	}
	if !isFile {
		return nil, errNotGiven
	}
	v, o := j.usual, validate.Options{KnownExtensions: j.known, VitalSigns: true}
	beside := shelf{}
	for _, s := range q.Supporting {
		b, isFile, err := given(s)
		if err != nil {
			return nil, err
		}
		if isFile {
			beside.add(b)
		}
	}
	if o.Questionnaire, err = beside.named(q.Questionnaire); err != nil {
		return nil, err
	}
	profile, err := beside.named(q.Profile)
	if err != nil {
		return nil, err
	}
	if profile != "" {
		o.Profiles = []string{profile}
	}
	if len(beside) > 0 {
		source := append(canon.Sources{beside}, j.official...)
		v = validate.New(source, term.New(source))
		o.Fetch = beside.fetch
	}
	doc, err := read(src)
	if err != nil {
		e := outcome.As(err)
		return []finding{{"error", string(e.Kind), e.Expression, j.sentence(e.VI, e.EN)}}, nil
	}
	issues, err := v.Check(ctx, doc, o)
	if err != nil {
		return nil, err
	}
	found := make([]finding, len(issues))
	for i, x := range issues {
		found[i] = finding{string(x.Severity), string(x.Code), []string{x.Expression}, j.sentence(x.VI, x.EN)}
	}
	return found, nil
}

func (j *judge) sentence(vi, en string) string {
	if j.vietnamese {
		return vi
	}
	return en
}

var errNotGiven = outcome.New(outcome.NotFound, "jsonl.file", "Không có tệp này.", "There is no such file.")

// given reads what a line gives: an object, the text of one, or a file. isFile
// is false of a text that is none of these.
func given(v json.RawMessage) (src []byte, isFile bool, err error) {
	v = bytes.TrimSpace(v)
	if len(v) > 0 && v[0] == '{' {
		return v, true, nil
	}
	var s string
	if err := json.Unmarshal(v, &s); err != nil || s == "" {
		return nil, false, nil
	}
	if t := strings.TrimSpace(strings.TrimPrefix(s, "\ufeff")); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "<") {
		return []byte(s), true, nil
	}
	b, err := os.ReadFile(s)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return []byte(s), false, nil
	}
	var of *fs.PathError
	if err != nil && errors.As(err, &of) {
		return []byte(s), false, nil // a canonical can be no name of a file on some machines
	}
	return b, err == nil, err
}

// read reads JSON or XML, told by how it begins.
func read(b []byte) (*r4.Doc, error) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	if len(b) > 0 && b[0] == '<' {
		return r4.ParseXML(b)
	}
	return r4.Parse(b)
}

// shelf holds the resources that a line gives beside the one to look at.
type shelf []*r4.Doc

// add takes a resource and those of its entries; what can't be read can't be found.
func (s *shelf) add(b []byte) *r4.Doc {
	d, err := read(b)
	if err != nil {
		return nil
	}
	*s = append(*s, d)
	for e := range d.Root().Get("entry").Elems() {
		if inner, err := r4.Parse(slices.Clone(e.Get("resource").Raw())); err == nil {
			*s = append(*s, inner)
		}
	}
	return d
}

// named gives a canonical: the one that stands there, or that of the definition in a file.
func (s *shelf) named(v json.RawMessage) (string, error) {
	b, isFile, err := given(v)
	if err != nil || !isFile {
		return string(b), err
	}
	d := s.add(b)
	if d == nil || d.Root().Get("url").Text() == "" {
		return "", outcome.New(outcome.Invalid, "jsonl.definition", "Tệp không phải định nghĩa có url.", "The file is no definition with a url.")
	}
	if version := d.Root().Get("version").Text(); version != "" {
		return d.Root().Get("url").Text() + "|" + version, nil
	}
	return d.Root().Get("url").Text(), nil
}

// Find makes a shelf a canon.Source.
func (s shelf) Find(_ context.Context, typ, url, version string) (*r4.Doc, error) {
	var best *r4.Doc
	for _, d := range s {
		n := d.Root()
		if n.Get("url").Text() != url || typ != "" && d.Type() != typ || version != "" && !ofVersion(n.Get("version").Text(), version) {
			continue
		}
		if best == nil || canon.Compare(n.Get("version").Text(), best.Root().Get("version").Text()) > 0 {
			best = d
		}
	}
	return best, nil
}

// ofVersion: "1.2" also means 1.2.x (FHIR R4 references.html#canonical leaves it to the server).
func ofVersion(have, want string) bool { return have == want || strings.HasPrefix(have, want+".") }

// fetch finds what a reference names by type and id.
func (s shelf) fetch(_ context.Context, ref string) (*r4.Doc, error) {
	ref, _, _ = strings.Cut(ref, "/_history/")
	for _, d := range s {
		if id := d.ID(); id != "" && (ref == d.Type()+"/"+id || strings.HasSuffix(ref, "/"+d.Type()+"/"+id)) {
			return d, nil
		}
	}
	return nil, nil
}
