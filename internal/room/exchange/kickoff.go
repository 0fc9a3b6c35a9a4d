package exchange

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
)

// exportSpec is what an export was asked for.
type exportSpec struct {
	Base     string // address of the API as the client sees it
	Types    []string
	Filters  map[string][]string `json:",omitempty"` // queries by type; any of them must hold
	Elements []string            `json:",omitempty"`
	Since    time.Time
	Until    time.Time
	Patients []string `json:",omitempty"` // only what is in their compartments
	Persons  bool     // only what is in the compartment of some Patient
	Time     time.Time
}

// settle is how long a write may take between the instant that it stamps on
// its resources and its commit. The transactionTime of an export lies so far
// before its start: what was stamped before is committed and read, and what
// was not read is found by the next export with _since = transactionTime.
const settle = 10 * time.Second

// maxMembers bounds the patients of one export by Group or list.
const maxMembers = 100_000

func badParameter(name, vi, en string) error {
	return outcome.New(outcome.Invalid, "exchange.parameter", fmt.Sprintf("Tham số “%.40s”: %s.", name, vi), fmt.Sprintf("Parameter %.40q: %s.", name, en))
}

func notOffered(name string) error {
	return outcome.New(outcome.NotSupported, "exchange.not-offered",
		fmt.Sprintf("Máy chủ không có tham số “%.40s” cho việc xuất dữ liệu.", name), fmt.Sprintf("This server does not offer the export parameter %.40q.", name))
}

// startExport is the kick-off (Bulk Data Access 2.0.0 export.html#bulk-data-kick-off-request).
func (s *Service) startExport(w http.ResponseWriter, r *http.Request) error {
	if !prefers(r, "respond-async") {
		return errNoAsync
	}
	q, err := asked(r)
	if err != nil {
		return err
	}
	spec := exportSpec{Base: base(r), Time: s.Clock.Now().Add(-settle)}
	if err := spec.read(q, prefers(r, "handling=lenient")); err != nil {
		return err
	}
	a, err := s.access(r.Context())
	if err != nil {
		return err
	}
	level := exportLevel{group: r.PathValue("id"), persons: !strings.HasSuffix(r.URL.Path, root+"/$export"), patients: q["patient"]}
	if len(level.patients) > 0 && (r.Method != http.MethodPost || !level.persons) {
		return errLevel
	}
	if err := s.reach(r.Context(), a, level, &spec); err != nil {
		return err
	}
	if err := s.settleTypes(a, level, &spec); err != nil {
		return err
	}
	jobID, err := s.enqueue(r.Context(), kindExport, base(r)+strings.TrimPrefix(r.URL.RequestURI(), root), spec, exportPlace{}, nil)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Location", base(r)+"/$job/"+jobID)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// read takes the parameters in. One that is not known is refused: left out it
// would widen the export; the client may allow that (Prefer: handling=lenient).
func (e *exportSpec) read(q url.Values, lenient bool) (err error) {
	for name, list := range q {
		switch name {
		case "_outputFormat":
			for _, f := range list {
				if !slices.Contains([]string{"application/fhir+ndjson", "application/ndjson", "ndjson"}, strings.ReplaceAll(f, " ", "+")) {
					return badParameter(name, "chỉ xuất được application/fhir+ndjson", "only application/fhir+ndjson is written")
				}
			}
		case "_since":
			e.Since, err = instantOf(name, list)
		case "_until":
			e.Until, err = instantOf(name, list)
		case "_type":
			e.Types = splitAll(list)
		case "_elements":
			e.Elements = splitAll(list)
		case "_typeFilter":
			err = e.filters(list)
		case "patient", "_format", "_pretty":
		default: // includeAssociatedData and organizeOutputBy among them
			if !lenient {
				return notOffered(name)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func instantOf(name string, list []string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.Replace(list[0], " ", "+", 1)) // an unescaped "+" of a zone
	if err != nil || len(list) > 1 {
		return t, badParameter(name, "phải là một thời điểm đầy đủ (instant)", "must be one full instant")
	}
	return t.UTC(), nil
}

func splitAll(list []string) (out []string) {
	for _, text := range list {
		for one := range strings.SplitSeq(text, ",") {
			if one = strings.TrimSpace(one); one != "" && !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out
}
