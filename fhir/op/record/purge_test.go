package record

import (
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

func TestPurge(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1.50,"b":["x"]}`: `{"a":1.50,"b":["x"]}`,
		`{"a":1.50,"extension":[{"url":"urn:ytso:ext:x","valueCode":"y"}]}`:                                             `{"a":1.50}`,
		`{"extension":[{"url":"urn:ytso:ext:x","valueCode":"y"},{"url":"http://x.example/e"}]}`:                         `{"extension":[{"url":"http://x.example/e"}]}`,
		`{"extension":[{"url":"http://x.example/e","extension":[{"url":"urn:ytso:ext:x"}]}]}`:                           `{"extension":[{"url":"http://x.example/e"}]}`,
		`{"g":"male","_g":{"extension":[{"url":"urn:ytso:ext:x","valueString":"1"}]}}`:                                  `{"g":"male"}`,
		`{"given":["A","B"],"_given":[null,{"extension":[{"url":"urn:ytso:ext:x"}]}]}`:                                  `{"given":["A","B"]}`,
		`{"given":["A","B"],"_given":[{"id":"i"},{"extension":[{"url":"urn:ytso:ext:x"}]}]}`:                            `{"given":["A","B"],"_given":[{"id":"i"},null]}`,
		`{"note":[{"extension":[{"url":"urn:ytso:ext:x"}]},{"text":"t"}],"identifier":[{"system":"urn:ytso:id:bhxh"}]}`: `{"note":[{"text":"t"}],"identifier":[{"system":"urn:ytso:id:bhxh"}]}`,
		`{"modifierExtension":[{"url":"urn:ytso:ext:x"}],"valueUri":"urn:ytso:x"}`:                                      `{"modifierExtension":[{"url":"urn:ytso:ext:x"}],"valueUri":"urn:ytso:x"}`,
	} {
		doc, err := r4.Parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(purge(doc.Root())); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}
