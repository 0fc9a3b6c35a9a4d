package exchange

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/store"
)

// streams wakes those who listen to events.
type streams struct {
	mu   sync.Mutex
	bell chan struct{}
	open int
	each map[string]int // by facility
}

// next is closed when something may have happened.
func (s *streams) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bell == nil {
		s.bell = make(chan struct{})
	}
	return s.bell
}

func (s *streams) ring() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bell != nil {
		close(s.bell)
		s.bell = nil
	}
}

// maxStreams bounds those who listen at a time, maxStreamsEach those of one
// facility, or of the operator: one that opens them without end keeps nobody else out.
const (
	maxStreams     = 200
	maxStreamsEach = 20
)

func (s *streams) enter(who string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= maxStreams || s.each[who] >= maxStreamsEach {
		return false
	}
	if s.each == nil {
		s.each = map[string]int{}
	}
	s.open++
	s.each[who]++
	return true
}

func (s *streams) leave(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.each[who]--; s.each[who] == 0 {
		delete(s.each, who)
	}
}

// stream sends events as they come. Who was cut off names the last it had
// (Last-Event-ID) and goes on behind it; without that it begins with what comes now.
// The right to listen is asked anew with every look.
func (s *Service) stream(w http.ResponseWriter, r *http.Request) error {
	who := owner(r.Context())
	if !s.streams.enter(who) {
		return errStreams
	}
	defer s.streams.leave(who)
	after := int64(-1)
	if text := r.Header.Get("Last-Event-ID"); text != "" {
		n, err := eventNumber(text, 0)
		if err != nil {
			return err
		}
		after = n
	}
	c := http.NewResponseController(w)
	beat := defaultHeartbeat
	for first := true; ; first = false {
		bell := s.streams.next()
		list, sub, err := s.listen(r, &after)
		if err != nil {
			if first {
				return err
			}
			return nil // the right ended: so does the stream, and the next try is told why
		}
		if first {
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			w.Header().Set("X-Accel-Buffering", "no") // a proxy must not gather pieces
			if sub.Spec.Heartbeat > 0 {
				beat = sub.Spec.Heartbeat
			}
			list = append([][]byte{frame(sub.Events, notifyHandshake, notification(sub, notifyHandshake, nil, s.Clock.Now()), false)}, list...)
		}
		_ = c.SetWriteDeadline(time.Now().Add(time.Minute)) // a test's connection knows no deadlines
		for _, one := range list {
			if _, err := w.Write(one); err != nil {
				return nil // the listener has gone
			}
		}
		if err := c.Flush(); err != nil {
			return nil
		}
		if !s.linger(r.Context(), w, c, bell, beat) {
			return nil
		}
	}
}

// linger waits for the bell, or sends a sign of life; false when the listener has gone.
func (s *Service) linger(ctx context.Context, w http.ResponseWriter, c *http.ResponseController, bell <-chan struct{}, beat time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-s.closing:
		return false
	case <-bell:
		return true
	case <-time.After(beat):
		_ = c.SetWriteDeadline(time.Now().Add(time.Minute))
		_, err := w.Write([]byte(": heartbeat\n\n"))
		return err == nil
	}
}

// listen reads what is new for a listener, as frames, and moves after behind it.
func (s *Service) listen(r *http.Request, after *int64) (frames [][]byte, sub *subscription, err error) {
	err = s.watch(r.Context(), r.PathValue("id"), "exchange.subscription.listen", func(rd store.Reader, found *subscription) error {
		frames, sub = nil, found
		sub.Spec.Base = base(r)
		at := *after
		if at < 0 {
			at = sub.Events
		}
		for at < sub.Events {
			list, err := s.page(r.Context(), rd, sub, at, sub.Events)
			if err != nil {
				return err
			}
			if len(list) == 0 {
				at = sub.Events // forgotten
			}
			for _, e := range list {
				frames = append(frames, frame(e.N, notifyEvent, notification(sub, notifyEvent, []shown{e}, s.Clock.Now()), true))
				at = e.N
			}
			if len(frames) >= 10*maxEventsAtOnce {
				break
			}
		}
		*after = at
		return nil
	})
	return frames, sub, err
}

// frame is one server-sent event; the data is JSON in one line.
func frame(n int64, kind string, data []byte, number bool) []byte {
	text := oneLine(data)
	if !number {
		return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, text)
	}
	return fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", n, kind, text)
}
