package sqlstore

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// TestRowIDsNeverRepeat: more resources of one person than a millisecond has
// ids for, from several writers, also when the clock stands still or goes back.
func TestRowIDsNeverRepeat(t *testing.T) {
	s := &Store{}
	now := time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)
	var list [4][]int64
	var work sync.WaitGroup
	for i := range list {
		work.Go(func() {
			for n := range 5000 {
				list[i] = append(list[i], s.next(now.Add(-time.Duration(n%3)*time.Second), 7))
			}
		})
	}
	work.Wait()
	all := slices.Concat(list[:]...)
	slices.Sort(all)
	if n := len(slices.Compact(slices.Clone(all))); n != len(all) {
		t.Errorf("%d of %d are different", n, len(all))
	}
	for _, ids := range list {
		if !slices.IsSorted(ids) {
			t.Error("a writer's ids do not grow")
		}
	}
	if id := all[0]; id&0x3ff != 7 || id>>22 < now.UnixMilli() {
		t.Errorf("%x", id)
	}
	later := now.Add(time.Minute)
	if id := s.next(later, 1023); id>>22 != later.UnixMilli() || id&0x3ff != 1023 {
		t.Errorf("%x", id)
	}
}
