package claims

import (
	"context"
	"sync"
	"time"

	"github.com/ytso/ytso/vn/claim"
)

// job is a receipt whose HOSO wait for an answer.
type job struct {
	receipt string
	known   *fresh // nil: read it from the store
	slot    bool
}

// fresh is what Receive has at hand, so that processing need not read it again.
type fresh struct {
	rec  Receipt
	file *claim.File
}

const (
	maxSlots  = 256       // receipts that wait with their file in memory
	maxInHand = 256 << 10 // bytes of a file that is kept in memory while it waits
	patience  = 5 * time.Second
)

// line is where receipts wait for processing. Those on disk and not in memory
// are named only, so that a long line costs little. A sender waits a while when
// the line is long: that is the back pressure.
type line struct {
	slots   chan struct{}
	more    chan struct{}
	stopped chan struct{} // closed when Run has ended

	mu   sync.Mutex
	jobs []job
	open map[string]bool // receipts on their way in, in the line or in hand
	idle chan struct{}   // closed while nothing is open
}

// leftovers stands in a line for what an earlier process left, until Run has looked for it.
const leftovers = ""

func newLine() *line {
	return &line{
		slots: make(chan struct{}, maxSlots), more: make(chan struct{}, 1), stopped: make(chan struct{}),
		open: map[string]bool{leftovers: true}, idle: make(chan struct{}),
	}
}

// reserve announces a receipt that is about to be written, so that Run, should
// it find it on the disk at its start, does not take it up a second time.
func (l *line) reserve(receipt string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) == 0 {
		l.idle = make(chan struct{})
	}
	l.open[receipt] = true
}

// slot asks for a place near the door; false when there is none, also after a while.
func (l *line) slot(ctx context.Context, wait bool) bool {
	select {
	case l.slots <- struct{}{}:
		return true
	default:
		if !wait {
			return false
		}
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case l.slots <- struct{}{}:
		return true
	case <-late.C:
	case <-ctx.Done():
	case <-l.stopped:
	}
	return false
}

// put lets a reserved receipt wait.
func (l *line) put(j job) {
	l.mu.Lock()
	l.jobs = append(l.jobs, j)
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// restore lets the receipts that an earlier process left wait, but for those that are open already.
func (l *line) restore(list []string) {
	for _, receipt := range list {
		l.mu.Lock()
		known := l.open[receipt]
		l.mu.Unlock()
		if !known {
			l.reserve(receipt)
			l.put(job{receipt: receipt})
		}
	}
	l.answered(leftovers)
}

// take gives the next job, in the order of coming; false when ctx has ended.
func (l *line) take(ctx context.Context) (j job, ok bool) {
	for ctx.Err() == nil {
		l.mu.Lock()
		if len(l.jobs) > 0 {
			j = l.jobs[0]
			l.jobs[0] = job{}
			l.jobs = l.jobs[1:]
			l.mu.Unlock()
			if j.slot {
				<-l.slots
			}
			return j, true
		}
		l.mu.Unlock()
		select {
		case <-l.more:
		case <-ctx.Done():
		}
	}
	return job{}, false
}

// answered says that a receipt is not open any more.
func (l *line) answered(receipt string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open[receipt] {
		return
	}
	if delete(l.open, receipt); len(l.open) == 0 {
		close(l.idle)
	}
}

func (l *line) drain() {
	l.mu.Lock()
	idle := l.idle
	l.mu.Unlock()
	select {
	case <-idle:
	case <-l.stopped:
	}
}
