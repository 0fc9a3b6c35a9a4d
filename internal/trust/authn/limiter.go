package authn

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ytso/ytso/internal/platform/clock"
)

// pace is how often something may be tried under one key.
type pace struct {
	every time.Duration
	burst int
}

// An address gets fewer tries than an account, so that nobody can lock a
// hospital's sender out from one place. A sender takes one token an hour.
var (
	addressRate = pace{6 * time.Second, 20}
	accountRate = pace{2 * time.Second, 60}
)

// limiter counts tries by key. It holds at most maxKeys of them; those that
// have rested long enough to be full again go first.
type limiter struct {
	clock clock.Clock
	mu    sync.Mutex
	keys  map[string]*counted
}

type counted struct {
	*rate.Limiter
	pace pace
	last time.Time
}

const maxKeys = 20_000

func newLimiter(c clock.Clock) *limiter { return &limiter{clock: c, keys: map[string]*counted{}} }

func (l *limiter) allow(key string, p pace) bool {
	if len(key) > 100 {
		key = key[:100] // what is no name or address anyway
	}
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.keys[key]
	if c == nil {
		if len(l.keys) >= maxKeys && !l.evict(now) {
			return false // fail closed: so many keys in so little time are an attack
		}
		c = &counted{Limiter: rate.NewLimiter(rate.Every(p.every), p.burst), pace: p}
		l.keys[key] = c
	}
	c.last = now
	return c.AllowN(now, 1)
}

// evict forgets the keys that are full again, and says whether there is room.
func (l *limiter) evict(now time.Time) bool {
	for k, c := range l.keys {
		if c.TokensAt(now) >= float64(c.pace.burst) {
			delete(l.keys, k)
		}
	}
	return len(l.keys) < maxKeys
}
