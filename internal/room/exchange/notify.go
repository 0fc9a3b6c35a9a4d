package exchange

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/id"
)

// Types of notifications (Subscriptions R5 Backport 1.1.0, valueset-subscription-notification-type).
const (
	notifyHandshake = "handshake"
	notifyHeartbeat = "heartbeat"
	notifyEvent     = "event-notification"
	queryStatus     = "query-status"
	queryEvent      = "query-event"
)

// shown is an event with what its receiver may see of it.
type shown struct {
	event
	body  []byte // nil: deleted, not wanted, or not to be seen
	focus bool   // the resource may be named
}

// lookAt reads what the receiver of events may see of them now. An event whose
// resource is closed to it by now keeps its number and says no more.
func (s *Service) lookAt(ctx context.Context, r store.Reader, sub *subscription, list []event) (out []shown, err error) {
	for _, e := range list {
		one := shown{event: e}
		version := int(e.Version)
		if e.What == deleted {
			version--
		}
		res, err := r.ReadVersion(ctx, e.Key, version)
		switch k := outcome.KindOf(err); {
		case err == nil:
			one.focus = true
			if e.What != deleted && (sub.Spec.Content == contentFull || sub.Spec.Topic == "" && sub.Spec.Mime != "") {
				one.body = res.Body
			}
		case k != outcome.NotFound && k != outcome.Forbidden && k != outcome.Deleted:
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// statusOf is a SubscriptionStatus as R4 has it: a Parameters resource
// (Subscriptions R5 Backport 1.1.0, backport-subscription-status-r4).
func statusOf(sub *subscription, kind string, list []shown) r4.Object {
	part := func(name, member string, v any) r4.Object {
		return r4.Object{{Name: "name", Value: name}, {Name: member, Value: v}}
	}
	params := []r4.Object{part("subscription", "valueReference", r4.Object{{Name: "reference", Value: sub.Spec.Base + "/Subscription/" + sub.ID}})}
	if sub.Spec.Topic != "" {
		params = append(params, part("topic", "valueCanonical", sub.Spec.Topic))
	}
	params = append(params, part("status", "valueCode", sub.State), part("type", "valueCode", kind),
		part("eventsSinceSubscriptionStart", "valueString", strconv.FormatInt(sub.Events, 10)))
	for _, e := range list {
		event := []r4.Object{
			part("eventNumber", "valueString", strconv.FormatInt(e.N, 10)),
			part("timestamp", "valueInstant", milli(time.UnixMilli(e.At))),
		}
		if e.focus && sub.Spec.Content != contentEmpty {
			event = append(event, part("focus", "valueReference", r4.Object{{Name: "reference", Value: sub.Spec.Base + "/" + e.Key.String()}}))
		}
		params = append(params, part("notificationEvent", "part", event))
	}
	if f := faultOf(sub.Fault); f != nil {
		params = append(params, part("error", "valueCodeableConcept", r4.Object{{Name: "text", Value: f.EN}}))
	}
	return r4.Object{
		{Name: "resourceType", Value: "Parameters"}, {Name: "id", Value: id.UUID()},
		{Name: "meta", Value: r4.Object{{Name: "profile", Value: []string{profileStatus}}}}, {Name: "parameter", Value: params},
	}
}

// notification is the Bundle that tells of events, or of none: a handshake, a heartbeat.
func notification(sub *subscription, kind string, list []shown, now time.Time) []byte {
	status := statusOf(sub, kind, list)
	entries := []r4.Object{{
		{Name: "fullUrl", Value: "urn:uuid:" + id.UUID()}, {Name: "resource", Value: status},
		{Name: "request", Value: r4.Object{{Name: "method", Value: "GET"}, {Name: "url", Value: sub.Spec.Base + "/Subscription/" + sub.ID + "/$status"}}},
		{Name: "response", Value: r4.Object{{Name: "status", Value: "200"}}},
	}}
	for _, e := range list {
		if !e.focus || sub.Spec.Content == contentEmpty {
			continue
		}
		entry := r4.Object{{Name: "fullUrl", Value: sub.Spec.Base + "/" + e.Key.String()}}
		if e.body != nil {
			entry.Add("resource", r4.Raw(e.body))
		}
		method, at, code := "PUT", e.Key.String(), "200"
		switch e.What {
		case created:
			method, at, code = "POST", e.Key.Type, "201"
		case deleted:
			method, code = "DELETE", "204"
		}
		entry.Add("request", r4.Object{{Name: "method", Value: method}, {Name: "url", Value: at}})
		entry.Add("response", r4.Object{{Name: "status", Value: code}})
		entries = append(entries, entry)
	}
	return r4.Object{
		{Name: "resourceType", Value: "Bundle"}, {Name: "id", Value: id.UUID()},
		{Name: "meta", Value: r4.Object{{Name: "profile", Value: []string{profileNotify}}}},
		{Name: "type", Value: "history"}, {Name: "timestamp", Value: milli(now)}, {Name: "entry", Value: entries},
	}.JSON()
}

// inFormat is a resource in the form that a receiver wants.
func inFormat(body []byte, mime string) ([]byte, error) {
	if mime != "application/fhir+xml" {
		return body, nil
	}
	doc, err := r4.Parse(body)
	if err != nil {
		return nil, err
	}
	out, err := doc.AppendXML(nil)
	if err != nil {
		return nil, fmt.Errorf("notification as XML: %w", err)
	}
	return out, nil
}
