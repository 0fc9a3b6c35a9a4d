package exchange

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/id"
	"github.com/ytso/ytso/internal/trust"
)

// trustedSubscription is the right under which the server itself sets a Subscription's status.
func trustedSubscription() (store.Access, error) { return trust.System(trust.JobSubscribe) }

var (
	errNoSubscription = outcome.New(outcome.NotFound, "exchange.no-subscription",
		"Không có đăng ký nhận thông báo này.", "There is no such subscription.")
	errStreams = outcome.New(outcome.Transient, "exchange.streams",
		"Quá nhiều hệ thống đang nghe sự kiện cùng lúc. Hãy thử lại sau.", "Too many systems listen to events at once. Try again later.")
	errWebsocket = outcome.New(outcome.NotSupported, "exchange.websocket",
		"Máy chủ không có websocket. Hãy dùng rest-hook hoặc luồng sự kiện tại $events (text/event-stream).",
		"There is no websocket here. Use rest-hook, or the stream of events at $events (text/event-stream).")
)

// watch reads a Subscription under the Access of who asks and f with it, in one View.
func (s *Service) watch(ctx context.Context, subID, action string, f func(r store.Reader, sub *subscription) error) error {
	a, err := s.access(ctx)
	if err != nil {
		return err
	}
	return s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: action, Entity: "Subscription/" + subID})
		if _, err := r.Read(ctx, store.Key{Type: "Subscription", ID: subID}); err != nil {
			return err
		}
		list, err := subscriptions(ctx, r, `WHERE id = $1`, subID)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return errNoSubscription
		}
		return f(r, list[0])
	})
}

// status is Subscription/[id]/$status (Subscriptions R5 Backport 1.1.0, OperationDefinition-backport-subscription-status).
func (s *Service) status(w http.ResponseWriter, r *http.Request) error {
	var body []byte
	err := s.watch(r.Context(), r.PathValue("id"), "exchange.subscription.status", func(_ store.Reader, sub *subscription) error {
		sub.Spec.Base = base(r)
		body = r4.Object{
			{Name: "resourceType", Value: "Bundle"}, {Name: "id", Value: id.UUID()}, {Name: "type", Value: "searchset"},
			{Name: "total", Value: 1}, {Name: "entry", Value: []r4.Object{{
				{Name: "fullUrl", Value: "urn:uuid:" + id.UUID()}, {Name: "resource", Value: statusOf(sub, queryStatus, nil)},
				{Name: "search", Value: r4.Object{{Name: "mode", Value: "match"}}},
			}}},
		}.JSON()
		return nil
	})
	if err != nil {
		return err
	}
	return s.answer(w, r, body)
}

// answer sends a resource in the form that the caller asked for.
func (s *Service) answer(w http.ResponseWriter, r *http.Request, body []byte) error {
	mime := "application/fhir+json"
	if f := r.URL.Query().Get("_format"); strings.Contains(f, "xml") || f == "" && strings.Contains(r.Header.Get("Accept"), "xml") && !strings.Contains(r.Header.Get("Accept"), "json") {
		mime = "application/fhir+xml"
	}
	body, err := inFormat(body, mime)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mime+"; charset=utf-8")
	_, _ = w.Write(body) // the caller may have gone
	return nil
}

// events is Subscription/[id]/$events: a page of events, or a stream of them
// to who asks for text/event-stream (HTML Standard, server-sent events).
func (s *Service) events(w http.ResponseWriter, r *http.Request) error {
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		return s.stream(w, r)
	}
	q := r.URL.Query()
	since, err := eventNumber(q.Get("eventsSinceNumber"), 1)
	if err != nil {
		return err
	}
	until, err := eventNumber(q.Get("eventsUntilNumber"), 1<<62)
	if err != nil {
		return err
	}
	var body []byte
	err = s.watch(r.Context(), r.PathValue("id"), "exchange.subscription.events", func(rd store.Reader, sub *subscription) error {
		sub.Spec.Base = base(r)
		if c := q.Get("content"); c != "" {
			if c != contentEmpty && c != contentID && c != contentFull {
				return badParameter("content", "chỉ nhận empty, id-only, full-resource", "takes empty, id-only or full-resource")
			}
			sub.Spec.Content = c
		}
		list, err := s.page(r.Context(), rd, sub, since-1, until)
		if err != nil {
			return err
		}
		body = notification(sub, queryEvent, list, s.Clock.Now())
		return nil
	})
	if err != nil {
		return err
	}
	return s.answer(w, r, body)
}

func eventNumber(text string, otherwise int64) (int64, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, badParameter("events…Number", "phải là số nguyên không âm", "must be a whole number, 0 or more")
	}
	return n, nil
}

func (s *Service) page(ctx context.Context, r store.Reader, sub *subscription, after, until int64) ([]shown, error) {
	found, err := events(ctx, r, sub.ID, after, min(until, sub.Events), maxEventsAtOnce)
	if err != nil {
		return nil, err
	}
	return s.lookAt(ctx, r, sub, found)
}

// websocket refuses Subscription/$get-ws-binding-token.
func (s *Service) websocket(http.ResponseWriter, *http.Request) error { return errWebsocket }
