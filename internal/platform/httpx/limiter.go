package httpx

import (
	"hash/maphash"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ytso/ytso/internal/platform/clock"
)

// Limiter slows down who tries too often, each key by itself: sign-in by
// network address, and again by account (SECURITY.md attack case 10).
type Limiter struct {
	every  time.Duration
	burst  int
	now    func() time.Time
	seed   maphash.Seed
	shards [shardCount]shard
}

const (
	shardCount = 32
	shardMax   = 4096 // keys; all shards together stay near 20 MB
)

type shard struct {
	sync.Mutex
	keys  map[string]*bucket
	swept time.Time
}

type bucket struct {
	*rate.Limiter
	last time.Time
}

// NewLimiter lets a key try burst times at once, and once more after each every.
func NewLimiter(c clock.Clock, every time.Duration, burst int) *Limiter {
	return &Limiter{every: every, burst: burst, now: c.Now, seed: maphash.MakeSeed()}
}

// Allow takes one try from the key and says whether it had one.
func (l *Limiter) Allow(key string) bool {
	now := l.now()
	s := &l.shards[maphash.String(l.seed, key)%shardCount]
	s.Lock()
	defer s.Unlock()
	b := s.keys[key]
	if b == nil {
		l.makeRoom(s, now)
		b = &bucket{Limiter: rate.NewLimiter(rate.Every(l.every), l.burst)}
		s.keys[key] = b
	}
	b.last = now
	return b.AllowN(now, 1)
}

// makeRoom forgets the keys whose tries have all come back: they are as good
// as new. When a flood of keys leaves no room, the one of a few that was unused
// for longest goes: looking at all would make the flood costly.
func (l *Limiter) makeRoom(s *shard, now time.Time) {
	if s.keys == nil {
		s.keys = map[string]*bucket{}
	}
	whole := time.Duration(l.burst) * l.every
	if now.Sub(s.swept) >= whole {
		s.swept = now
		for k, b := range s.keys {
			if now.Sub(b.last) >= whole {
				delete(s.keys, k)
			}
		}
	}
	if len(s.keys) < shardMax {
		return
	}
	var oldest string
	seen := 0
	for k, b := range s.keys { // begins anywhere
		if seen == 0 || b.last.Before(s.keys[oldest].last) {
			oldest = k
		}
		if seen++; seen == 16 {
			break
		}
	}
	delete(s.keys, oldest)
}
