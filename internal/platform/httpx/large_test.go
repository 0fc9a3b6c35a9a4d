package httpx

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
)

// TestLargeBodiesWait: what does not fit waits and is told so in the end; a
// small body passes by, and room that was given back is there for the next.
func TestLargeBodiesWait(t *testing.T) {
	l := newLarge()
	l.wait = 20 * time.Millisecond
	ask := func(size int64) (func(), error) {
		r := httptest.NewRequest("POST", "/", strings.NewReader("x"))
		r.ContentLength = size
		return l.take(r, 96<<20)
	}
	first, err := ask(96 << 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{-1, 64 << 20, 1 << 40} {
		if _, err := ask(size); outcome.KindOf(err) != outcome.Transient {
			t.Errorf("%d bytes beside 96 MiB: %v", size, err)
		}
	}
	for _, size := range []int64{0, smallBody, 32 << 20} {
		leave, err := ask(size)
		if err != nil {
			t.Fatalf("%d bytes beside 96 MiB: %v", size, err)
		}
		leave()
	}
	first()
	if leave, err := ask(-1); err != nil {
		t.Errorf("after room was given back: %v", err)
	} else {
		leave()
	}
}
