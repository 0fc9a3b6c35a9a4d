package app

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/room/claims"
)

// tally counts what became of the files.
type tally struct {
	mu                         sync.Mutex
	out                        io.Writer
	live                       bool // a terminal: the line of progress is written over
	all, done, skipped, turned int
	written, same, faulty      int
	hoso                       map[claims.HOSOState]int
	shown                      time.Time
}

func (t *tally) known() { t.step(func() { t.skipped++ }) }

// shownFaults bounds what is said of one file; the rest is counted.
const shownFaults = 20

// resources counts those of a file, and says what kept others out. A file of
// which nothing came in is refused whole.
func (t *tally) resources(name string, k kept) {
	t.step(func() {
		t.written, t.same, t.faulty = t.written+k.Written, t.same+k.Unchanged, t.faulty+len(k.Faults)
		if k.Written+k.Unchanged == 0 && len(k.Faults) > 0 {
			t.turned++
		}
		for i, f := range k.Faults {
			if i == shownFaults {
				t.say(name, fmt.Sprintf("còn %d lỗi nữa.", len(k.Faults)-i), fmt.Sprintf("%d more faults.", len(k.Faults)-i))
				break
			}
			at := ""
			if len(f.Expression) > 0 {
				at = " (" + f.Expression[0] + ")"
			}
			t.say(fmt.Sprintf("%s:%d", name, f.Place), f.VI+at, f.EN+at)
		}
	})
}

func (t *tally) refused(name string, e *outcome.Error) {
	t.step(func() {
		t.turned++
		t.say(name, e.VI, e.EN)
	})
}

func (t *tally) claim(name string, v verdict) {
	t.step(func() {
		if v.Refused {
			t.turned++
			t.say(name, v.VI, v.EN)
		}
		for s, n := range v.HOSO {
			t.hoso[s] += n
		}
		if n := v.HOSO[claims.HOSORefused]; n > 0 {
			t.say(name, fmt.Sprintf("%d hồ sơ bị từ chối; xem từng lỗi bằng `ytso check`.", n),
				fmt.Sprintf("%d HOSO refused; `ytso check` shows each finding.", n))
		}
	})
}

func (t *tally) say(name, vi, en string) {
	fmt.Fprintf(t.out, "%s%s: %s\n%*s  %s\n", t.erase(), name, vi, len(name), "", en)
}

// lineWidth is what a line of progress is wiped with: an old Windows console knows no escapes.
const lineWidth = 60

func (t *tally) erase() string {
	if t.live {
		return fmt.Sprintf("\r%*s\r", lineWidth, "")
	}
	return ""
}

func (t *tally) step(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
	t.done++
	if t.live && time.Since(t.shown) > 100*time.Millisecond {
		t.shown = time.Now()
		fmt.Fprintf(t.out, "%s%d/%d tệp (files)", t.erase(), t.done, t.all)
	}
}

func (t *tally) summary() {
	h := t.hoso
	fmt.Fprintf(t.out, `%s%d/%d tệp: %d đã nhận từ trước, %d bị từ chối cả tệp
  HOSO: %d đã lưu, %d bị từ chối, %d không đổi, %d cũ hơn bản đang có, %d lỗi hệ thống
  FHIR: %d tài nguyên đã ghi, %d không đổi, %d bị từ chối
%d of %d files: %d known from before, %d refused whole
  HOSO: %d stored, %d refused, %d unchanged, %d older than what stands, %d failed
  FHIR: %d resources written, %d unchanged, %d refused
`, t.erase(), t.done, t.all, t.skipped, t.turned,
		h[claims.HOSOStored], h[claims.HOSORefused], h[claims.HOSOUnchanged], h[claims.HOSOOlder], h[claims.HOSOFailed], t.written, t.same, t.faulty,
		t.done, t.all, t.skipped, t.turned,
		h[claims.HOSOStored], h[claims.HOSORefused], h[claims.HOSOUnchanged], h[claims.HOSOOlder], h[claims.HOSOFailed], t.written, t.same, t.faulty)
}

func (t *tally) bad() bool {
	return t.turned+t.faulty+t.hoso[claims.HOSORefused]+t.hoso[claims.HOSOFailed] > 0
}

// terminal says whether somebody watches the stream.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
