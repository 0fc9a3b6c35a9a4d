package validate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Severity is that of an issue (FHIR R4 valueset-issue-severity.html).
type Severity string

// The severities in use: an error refuses the resource, a warning does not.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Issue is one thing that is wrong. The sentences hold names of elements and
// codes of the definitions, never a value of the resource.
type Issue struct {
	Severity     Severity
	Code         outcome.Kind
	Expression   string // FHIRPath of the element at fault, or of the one that lacks something
	Line, Column int    // in the text received, from 1, columns in bytes
	VI, EN       string
	Key          string // "validate.unknown"
}

// MaxIssues bounds the list: whoever sent more reads the first ones first.
const MaxIssues = 200

// Failed says whether an issue refuses the resource.
func Failed(issues []Issue) bool {
	for i := range issues {
		if issues[i].Severity == Error {
			return true
		}
	}
	return false
}

// frame is one step of the path from the root to the value at hand.
type frame struct {
	member *r4.Member
	slot   *r4.Slot
	index  int32 // -1: the member is no array
}

// expression writes the path as FHIRPath: Patient.name[0].given[1], Observation.value.ofType(Quantity).
func (w *walker) expression() string {
	var b strings.Builder
	b.WriteString(w.root)
	for i := range w.path[:w.depth] {
		f := &w.path[i]
		b.WriteString("." + f.slot.Name)
		if f.slot.Choice {
			b.WriteString(".ofType(" + f.member.Type.Code + ")")
		}
		if f.index >= 0 {
			b.WriteString("[" + strconv.Itoa(int(f.index)) + "]")
		}
	}
	return b.String()
}

// fault is what a rule says: its kind, key and sentences.
type fault struct {
	severity Severity
	kind     outcome.Kind
	key      string
	vi, en   string
}

// full says that nothing more need be looked at.
func (w *walker) full() bool { return len(w.issues) >= MaxIssues }

// add records an issue about n at the path reached.
func (w *walker) add(n r4.Node, f fault) {
	if w.full() {
		return
	}
	if f.severity == "" {
		f.severity = Error
	}
	i := Issue{Severity: f.severity, Code: f.kind, Expression: w.expression(), VI: f.vi, EN: f.en, Key: "validate." + f.key}
	i.Line, i.Column = n.Place()
	w.issues = append(w.issues, i)
}

// structure records an issue of wrong shape.
func (w *walker) structure(n r4.Node, key, vi, en string) {
	w.add(n, fault{kind: outcome.Structure, key: key, vi: vi, en: en})
}

// value records an issue of a wrong value.
func (w *walker) value(n r4.Node, key, vi, en string) {
	w.add(n, fault{kind: outcome.Value, key: key, vi: vi, en: en})
}

// unknown records a member that the shape doesn't have, with what it may have been meant to be.
func (w *walker) unknown(n r4.Node, s *r4.Shape, name []byte) {
	written := string(name)
	if len(written) > 60 {
		written = strings.ToValidUTF8(written[:60], "")
	}
	vi, en := fmt.Sprintf("%s không có phần tử %q.", s.Path, written), fmt.Sprintf("%s has no element %q.", s.Path, written)
	if typed := choiceOf(s, written); typed != "" {
		vi, en = vi+fmt.Sprintf(" Tên phải kèm kiểu, ví dụ %q.", typed), en+fmt.Sprintf(" The name must carry its type, for example %q.", typed)
	} else if near := nearest(string(name), s.Names()); near != "" {
		vi, en = vi+fmt.Sprintf(" Có phải là %q?", near), en+fmt.Sprintf(" Did you mean %q?", near)
	}
	w.structure(n, "unknown", vi, en)
}

// choiceOf gives an example of how a choice is written, when a name is that of one without its type.
func choiceOf(s *r4.Shape, name string) string {
	for i := range s.Slots {
		if slot := &s.Slots[i]; slot.Choice && slot.Name == name {
			code := slot.Types[0].Code
			return name + strings.ToUpper(code[:1]) + code[1:]
		}
	}
	return ""
}

// nearest finds the name that differs least, if it differs little.
func nearest(name string, names []string) string {
	if len(name) > 60 {
		return ""
	}
	best, least := "", 1+len(name)/3
	for _, n := range names {
		d := distance(strings.ToLower(strings.TrimPrefix(name, "_")), strings.ToLower(n))
		if d < least || d == least && (best == "" || n < best) {
			best, least = n, d
		}
	}
	return best
}

// distance counts the letters to change, add, leave out or swap with the next.
func distance(a, b string) int {
	if len(a)-len(b) > 20 || len(b)-len(a) > 20 {
		return 99
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
