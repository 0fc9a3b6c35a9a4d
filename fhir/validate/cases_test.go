package validate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/core"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
)

// received reads a file as a resource, by how it begins.
func received(b []byte) (*r4.Doc, error) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	if len(b) > 0 && b[0] == '<' {
		return r4.ParseXML(b)
	}
	return r4.Parse(b)
}

// files are definitions at hand, by canonical.
type files []*r4.Doc

func (f files) Find(_ context.Context, typ, url, version string) (*r4.Doc, error) {
	var best *r4.Doc
	for _, d := range f {
		n := d.Root()
		if n.Get("url").Text() != url || typ != "" && d.Type() != typ || version != "" && n.Get("version").Text() != version && !strings.HasPrefix(n.Get("version").Text(), version+".") {
			continue
		}
		if best == nil || n.Get("version").Text() > best.Root().Get("version").Text() {
			best = d
		}
	}
	return best, nil
}

// official are the definitions of R4 that the program carries.
func official() canon.Sources { return canon.Sources{core.New(), term.Official()} }

// over makes a validator over some definitions and those of R4.
func over(list ...*r4.Doc) *Validator {
	s := append(canon.Sources{files(list)}, official()...)
	return New(s, term.New(s))
}

// remark stands inside the expressions of the official validator: /*Patient/pat1*/.
var remark = regexp.MustCompile(`/\*.*?\*/`)

// outcomeOf is what the official validator said of a case.
type outcomeOf struct {
	ErrorCount int
	Issues     []struct {
		Severity, Text string
		Expression     []string
	}
}

type validatorCase struct {
	Name, File string
	Supporting []string
	Domain     string `json:"allowed-extension-domain"` // extensions of it pass though nobody knows them
	Expect     outcomeOf
	Profile    *struct {
		Source       string
		SourceIsFile bool
		Supporting   []string
		Expect       outcomeOf
	}
}

func validatorCases(t *testing.T) (out []validatorCase) {
	for line := range bytes.Lines(conformance(t, "validator", "cases.jsonl")) {
		var c validatorCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// load reads files of the suite; those that can't be read are left out, as they can't be found then.
func load(t *testing.T, names ...string) (out []*r4.Doc) {
	for _, name := range names {
		d, err := received(conformance(t, append([]string{"validator", "files"}, strings.Split(name, "/")...)...))
		if err != nil {
			continue
		}
		out = append(out, d)
		for e := range d.Root().Get("entry").Elems() {
			if inner, err := r4.Parse(e.Get("resource").Raw()); err == nil {
				out = append(out, inner)
			}
		}
	}
	return out
}

// verdict is how a run compares.
type verdict struct {
	refuse, refused, placed bool
	wrong, want             []string
}

func compare(d *r4.Doc, err error, v *Validator, o Options, want outcomeOf) verdict {
	out := verdict{refuse: want.ErrorCount > 0}
	at := map[string]bool{}
	if err != nil {
		out.wrong = append(out.wrong, err.Error())
		for _, x := range outcome.As(err).Expression {
			at[x] = true
		}
	} else {
		issues, err := v.Check(context.Background(), d, o)
		if err != nil {
			out.wrong = append(out.wrong, err.Error())
		}
		for _, i := range issues {
			if i.Severity == Error {
				at[i.Expression] = true
				out.wrong = append(out.wrong, i.Key+" "+i.Expression+" "+i.EN)
			}
		}
	}
	out.refused = len(out.wrong) > 0
	for _, i := range want.Issues {
		if i.Severity != "error" && i.Severity != "fatal" {
			continue
		}
		out.want = append(out.want, fmt.Sprint(i.Expression, " ", i.Text))
		out.placed = out.placed || len(i.Expression) > 0 && at[strings.TrimSuffix(remark.ReplaceAllString(i.Expression[0], ""), ".")]
	}
	return out
}

// differs are the cases where the verdict is another one, and why.
var differs = map[string]string{
	// What needs terminologies beyond R4 core, by the suite's own README.
	"sdoh-type-slice": "a display of LOINC", "sdoh-type-slice (profile)": "a display of LOINC",
	"bundle-id-5": "a display of CVX", "uk-msg": "a display of SNOMED CT", "choice-async-qr": "codes of ISO 3166",
	"string-with-coding-async-qr": "codes of ISO 3166",
	// What rests on a switch that the case sets and a resource does not tell.
	"dr-example-org":                    "the case forbids addresses kept for examples",
	"pat-example-extensions":            "the case forbids addresses kept for examples",
	"pat-security-bad-string":           "the case forbids what looks like HTML in strings; FHIR R4 datatypes.html#string does not",
	"bundle-bad-by-param":               "the case names a profile for entries by a parameter of its own",
	"contained-resource-bad-id-ignore":  "the case switches the checking of contained resources off; the id there has 65 characters",
	"aggregation-apart-good4":           "the Encounter has no class, which is 1..1; the sister case aggregation-bundle-bad4 says so",
	"aggregation-apart-good4 (profile)": "as without the profile",
	"type-ref-unchecked (profile)":      "the profile allows Patient and Location, the reference says Group; mycommunication.invalid refuses the same",
	// What the specification says otherwise.
	"encounter-period": "start is a day, end an instant of it: start <= end is empty (N1 §6.2), neither true nor false",
	// What is not at hand.
	"patient-circle1-bad-source1 (profile)": "the resource referred to is no file that the case names",
	"patient-circle2-bad-source1 (profile)": "the resource referred to is no file that the case names",
}

// TestValidatorCases compares the verdict with that of the official validator.
func TestValidatorCases(t *testing.T) {
	for _, profiled := range []bool{false, true} {
		agreed, all, placed, invalid := 0, 0, 0, 0
		for _, c := range validatorCases(t) {
			supporting, o, want, name := load(t, c.Supporting...), Options{KnownExtensions: c.Domain == "", VitalSigns: true}, c.Expect, c.Name
			if profiled {
				if c.Profile == nil {
					continue
				}
				name += " (profile)"
				supporting = append(supporting, load(t, c.Profile.Supporting...)...)
				want = c.Profile.Expect
				url := c.Profile.Source
				if c.Profile.SourceIsFile {
					p := load(t, c.Profile.Source)
					if len(p) == 0 {
						t.Fatalf("%s: %s can't be read", c.Name, c.Profile.Source)
					}
					supporting = append(supporting, p...)
					url = p[0].Root().Get("url").Text()
				}
				o.Profiles = []string{url}
			}
			all++
			d, err := received(conformance(t, append([]string{"validator", "files"}, strings.Split(c.File, "/")...)...))
			got := compare(d, err, over(supporting...), o, want)
			if got.refuse {
				invalid++
			}
			switch why := differs[name]; {
			case got.refuse == got.refused:
				agreed++
				if got.refuse && got.placed {
					placed++
				}
				if got.refuse && !got.placed {
					t.Logf("elsewhere: %s\n\twant %.500s\n\tgot %.500s", name, strings.Join(got.want, "\n\t"), strings.Join(got.wrong, "\n\t"))
				}
				if why != "" {
					t.Errorf("%s agrees now: take it off the list", name)
				}
			case why != "":
			case got.refuse:
				t.Errorf("not found: %s (%s)\n\t%.500s", name, c.File, strings.Join(got.want, "\n\t"))
			default:
				t.Errorf("%s (%s) is right, but\n\t%.600s", name, c.File, strings.Join(got.wrong, "\n\t"))
			}
		}
		if least := map[bool]int{false: 177, true: 42}[profiled]; agreed < least {
			t.Errorf("%d agree, %d did before", agreed, least)
		}
		t.Logf("profiled %v: verdict agrees in %d of %d; of %d wrong ones %d at the same element", profiled, agreed, all, invalid, placed)
	}
}
