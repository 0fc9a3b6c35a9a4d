package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/core"
	"github.com/ytso/ytso/fhir/ips"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/vn/profile"
)

// verdicts runs our validation beside the official validator (its library, by
// the program beside the project) over the same resources and mutations, which
// here are also spoilt in structure. What is compared is the verdict: refused or not.
func verdicts(n int, seed uint64, program, conformance string, show int, w io.Writer) error {
	corpus, err := gather(n, seed, conformance)
	if err != nil {
		return err
	}
	g := rand.New(rand.NewPCG(seed, 11))
	for i, d := range corpus {
		if strings.HasPrefix(d.name, "mutation") && i%2 == 0 {
			if body := spoil(g, d.body); body != nil {
				if doc, err := r4.Parse(body); err == nil && doc.Type() == d.doc.Type() {
					corpus[i] = subject{d.name + ", spoilt", body, doc}
				}
			}
		}
	}
	theirs, err := official(program, corpus)
	if err != nil {
		return err
	}
	source := canon.Sources{ips.New(), core.New(), term.Official(), profile.New()}
	v := validate.New(source, term.New(source))
	t := &verdictTally{reasons: map[string]int{}, examples: map[string][]string{}, show: show}
	for i, d := range corpus {
		issues, err := v.Check(context.Background(), d.doc, validate.Options{KnownExtensions: true, Now: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		t.add(d, issues, theirs[i])
	}
	t.write(w, len(corpus))
	if t.unexplained > 0 {
		return fmt.Errorf("%d differences have no reason", t.unexplained)
	}
	return nil
}

// spoil changes the structure in one place: an unknown member, a value of
// another type, a member under another name, one that is there as a list.
func spoil(g *rand.Rand, body []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var root map[string]any
	if dec.Decode(&root) != nil {
		return nil
	}
	list := spots(root, nil)
	if len(list) == 0 {
		return nil
	}
	s := list[g.IntN(len(list))]
	m, member := s.in.(map[string]any)
	if !member || strings.HasPrefix(s.key, "_") {
		return nil
	}
	switch old := s.get(); g.IntN(4) {
	case 0:
		m["colour"] = "red"
	case 1:
		m[s.key+"x"] = old
		delete(m, s.key)
	case 2:
		m[s.key] = []any{old}
	default:
		switch old.(type) {
		case string:
			m[s.key] = json.Number("1")
		case json.Number, bool:
			m[s.key] = "x"
		default:
			m[s.key] = true
		}
	}
	out, err := json.Marshal(root)
	if err != nil {
		return nil
	}
	return out
}

// message is one of the official validator at the level of an error.
type message struct{ place, text string }

// official asks the official validator about each resource.
func official(program string, corpus []subject) ([][]message, error) {
	dir, err := os.MkdirTemp("", "differential")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var names bytes.Buffer
	index := map[string]int{}
	for i, d := range corpus {
		name := filepath.Join(dir, fmt.Sprintf("%05d.json", i))
		if err := os.WriteFile(name, d.body, 0o600); err != nil {
			return nil, err
		}
		index[name] = i
		fmt.Fprintln(&names, name)
	}
	cmd := exec.Command(program)
	cmd.Stdin, cmd.Stderr = &names, io.Discard
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	found := make([][]message, len(corpus))
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		col := strings.SplitN(lines.Text(), "\t", 4)
		if i, ok := index[col[0]]; ok && len(col) == 4 && (col[1] == "error" || col[1] == "fatal") {
			found[i] = append(found[i], message{col[2], col[3]})
		}
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	return found, lines.Err()
}

// outside are messages about what neither of us can know here: the README
// beside the program says to leave them out.
var outside = regexp.MustCompile(`(?i)wrong display|display name|snomed|loinc|could not be resolved|unable to (resolve|find)|canonical URL|not (be )?found.*(system|terminology)|example\.org|acme`)

// verdictTally counts verdicts.
type verdictTally struct {
	refused, accepted        int // by both
	onlyOurs, onlyTheirs     int
	unexplained, show, aside int
	reasons                  map[string]int
	examples                 map[string][]string
}

func (t *verdictTally) add(d subject, ours []validate.Issue, theirs []message) {
	all := len(theirs)
	theirs = slices.DeleteFunc(theirs, func(m message) bool { return outside.MatchString(m.text) })
	if all > 0 && len(theirs) == 0 {
		t.aside++
	}
	bad := slices.DeleteFunc(slices.Clone(ours), func(i validate.Issue) bool { return i.Severity != validate.Error })
	switch {
	case len(bad) > 0 && len(theirs) > 0:
		t.refused++
		return
	case len(bad) == 0 && len(theirs) == 0:
		t.accepted++
		return
	}
	var side, text string
	if len(bad) > 0 {
		t.onlyOurs++
		side, text = "ours", fmt.Sprintf("%s %s: %s", bad[0].Key, bad[0].Expression, bad[0].EN)
	} else {
		t.onlyTheirs++
		side, text = "theirs", theirs[0].place+": "+theirs[0].text
	}
	why := verdictReason(side, text)
	if why == "" {
		t.unexplained++
		why = "NO REASON"
	}
	t.reasons[why]++
	if len(t.examples[why]) < t.show {
		t.examples[why] = append(t.examples[why], fmt.Sprintf("%s (%s): only %s: %.300s", d.name, d.doc.Type(), side, text))
	}
}

func (t *verdictTally) write(w io.Writer, n int) {
	fmt.Fprintf(w, "the official validator: %d resources\n", n)
	fmt.Fprintf(w, "the same verdict: %d (%d accepted, %d refused)\n", t.accepted+t.refused, t.accepted, t.refused)
	fmt.Fprintf(w, "different: %d refused by us alone, %d by it alone, without a reason: %d\n", t.onlyOurs, t.onlyTheirs, t.unexplained)
	fmt.Fprintf(w, "%d taken as accepted by it although it complained of what neither can know here (displays, codes of outside systems, other servers)\n", t.aside)
	for _, why := range slices.SortedFunc(maps.Keys(t.reasons), func(a, b string) int { return cmp.Or(cmp.Compare(t.reasons[b], t.reasons[a]), strings.Compare(a, b)) }) {
		fmt.Fprintf(w, "\n%6d  %s\n", t.reasons[why], why)
		for _, e := range t.examples[why] {
			fmt.Fprintf(w, "    %s\n", e)
		}
	}
}

// verdictReason tells why a verdict differs, "" when nobody has looked at it yet.
func verdictReason(side, text string) string {
	for _, c := range verdictCauses {
		if c.side == side && c.said.MatchString(text) {
			return c.why
		}
	}
	return ""
}

// verdictCauses are the differences that were looked at. "Gap" says that the
// other is right and ours lets through what it should not.
var verdictCauses = []struct {
	side string
	said *regexp.Regexp
	why  string
}{
	{"theirs", regexp.MustCompile(`extension urn:ytso:`),
		"an extension of our own, which it is not given; ours is told its definition (vn/profile)"},
	{"theirs", regexp.MustCompile(`extension http.* could not be found`),
		"an extension of a package that neither has; it refuses what ours takes as one of HL7's own (us-core)"},
	{"ours", regexp.MustCompile(`extension-unknown`),
		"an extension whose definition neither has: it lets this address through as one of an example"},
	{"theirs", regexp.MustCompile(`Unknown code`),
		"a code that its code system does not have, under a binding that is not required: ours warns (terminologies.html#strength asks conformance of required bindings)"},
	{"theirs", regexp.MustCompile(`target code .* is not valid`),
		"as before, in a ConceptMap: a target is bound to nothing (conceptmap.html)"},
	{"theirs", regexp.MustCompile(`No definition could be found for URL value`),
		"an address of hl7.org that it does not know: R4 does not ask that a uri can be resolved (datatypes.html#uri)"},
	{"theirs", regexp.MustCompile(`UUIDs must be valid and lowercase`),
		"the element is a uri; lower case is asked of the type uuid alone (datatypes.html#uuid)"},
	{"theirs", regexp.MustCompile(`not valid base64`),
		"blanks in base64Binary: its pattern has them, (\\s*([0-9a-zA-Z\\+\\/=]){4}\\s*)+ (datatypes.html#base64Binary)"},
	{"theirs", regexp.MustCompile(`bodytemp|vitalsigns|from http://hl7.org/fhir/StructureDefinition/(bp|heartrate|bodyweight|oxygensat|resprate|bodyheight|bmi|headcircum)`),
		"it applies the profile of vital signs by the LOINC code; ours those that meta.profile names or the caller asks for"},
	{"theirs", regexp.MustCompile(`SearchParameter .* type is|Measure|CQL|target path|source context|Sub-extension`),
		"a rule of its own about the content of definitions, which no sentence of R4 has as a constraint"},
	{"theirs", regexp.MustCompile(`must have a fullUrl`),
		"the OperationOutcome of a search has no identity on the server; bundle.html lets results that are not identified be without fullUrl"},
	{"theirs", regexp.MustCompile(`Can't find .* in the bundle`),
		"Gap? a reference that only a resource with another fullUrl could meet; ours takes it as one to outside the Bundle"},
	{"theirs", regexp.MustCompile(`no matching target`),
		"Gap: a canonical “#id” in a contained resource that names nothing contained; ours asks that of References (ref-1)"},
	{"theirs", regexp.MustCompile(`hash of the data`),
		"a hash that is not that of the data: ours warns, since R4 has no rule that refuses it (datatypes.html#Attachment)"},
	{"theirs", regexp.MustCompile(`urn:ietf:rfc:3986.*full URI`),
		"Gap: an identifier of the system of URIs whose value is none (datatypes.html#Identifier)"},
	{"theirs", regexp.MustCompile(`must be an absolute reference`),
		"Gap: Identifier.system and Quantity.system are not held to be absolute; Coding.system is"},
	{"theirs", regexp.MustCompile(`Duplicate Security Label`),
		"R4 has no rule that a label stands once (resource.html#Meta)"},
	{"ours", regexp.MustCompile(`validate\.target`),
		"a literal reference that names a type which the element does not allow (elementdefinition.html, targetProfile); it is told not to look at references"},
	{"ours", regexp.MustCompile(`full-url-id`),
		"bundle.html: “fullUrl SHALL NOT disagree with the id in the resource”"},
	{"ours", regexp.MustCompile(`validate\.system`),
		"a Coding whose system is no absolute address: it warns that the system is not known, ours refuses, since no system can have such a name (datatypes.html#Coding)"},
}
