package exchange

import (
	"strings"
	"testing"

	"github.com/ytso/ytso/internal/sqlstore"
)

// TestForgedGolden: a facility's record can't say that it stands for a person,
// on whatever way it is written; figures count persons by that tag.
func TestForgedGolden(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
	forged := strings.Replace(patient("p1"), `"gender"`, `"meta":{"tag":[{"system":"urn:ytso:tag","code":"golden"}]},"gender"`, 1)
	entry := `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"PUT","url":"Patient/p1"},"resource":` + forged + `}]}`
	for _, tt := range []struct {
		as                   caller
		method, target, body string
		status               int
	}{
		{sender, "PUT", "/fhir/Patient/p1", forged, 422},
		{sender, "POST", "/fhir", entry, 422},
		{sender, "PUT", "/fhir/Patient/p1", patient("p1"), 201},
		{sender, "PATCH", "/fhir/Patient/p1", `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},` +
			`{"name":"path","valueString":"Patient"},{"name":"name","valueString":"meta"},{"name":"value","valueMeta":{"tag":[{"system":"urn:ytso:tag","code":"golden"}]}}]}]}`, 422},
		{operator, "PUT", "/fhir/Patient/p2", strings.Replace(forged, "p1", "p2", 1), 201},
	} {
		if w := tt.as.do(b, tt.method, tt.target, tt.body); w.Code != tt.status {
			t.Errorf("%s %s: %d, want %d: %s", tt.method, tt.target, w.Code, tt.status, w.Body)
		}
	}
}

// TestStreamsEach: one facility that listens without end keeps no other out.
func TestStreamsEach(t *testing.T) {
	var s streams
	for range 2 * maxStreamsEach {
		s.enter("25001")
	}
	if s.enter("25001") || !s.enter("25002") {
		t.Error("25001 has more than its share, or 25002 none")
	}
	s.leave("25001")
	if !s.enter("25001") {
		t.Error("a place that was given back is not there")
	}
}
