package httpx

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/ytso/ytso/fhir/outcome"
)

// Large bodies are held in memory several times over while they are read, so
// what is in hand at once is bounded: a PC of 2 GB must live through the hour
// when every hospital sends its month. Only who may enter gets this far; a
// slow sender holds off other large bodies, never the small ones.
const (
	smallBody  = 1 << 20   // bytes; up to here nobody waits
	inHand     = 128 << 20 // bytes of large bodies at once
	waitInHand = 30 * time.Second
)

var errBusy = outcome.New(outcome.Transient, "http.busy",
	"Máy chủ đang nhận nhiều tệp lớn cùng lúc. Xin gửi lại sau ít phút.",
	"The server is taking in many large files at once. Please send again in a few minutes.")

// large bounds the bodies in hand.
type large struct {
	room *semaphore.Weighted
	wait time.Duration
}

func newLarge() large { return large{semaphore.NewWeighted(inHand), waitInHand} }

// take waits until there is room for the body of a request of at most limit
// bytes; leave gives the room back. outcome.Transient after waitInHand.
func (l large) take(r *http.Request, limit int64) (leave func(), err error) {
	n := r.ContentLength
	if n < 0 { // not told
		n = limit
	}
	if n = min(n, inHand); n <= smallBody {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), l.wait)
	defer cancel()
	if err := l.room.Acquire(ctx, n); err != nil {
		return nil, errBusy.Because(err)
	}
	return func() { l.room.Release(n) }, nil
}
