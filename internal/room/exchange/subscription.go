package exchange

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
)

// Extensions and profiles of Subscriptions R5 Backport 1.1.0.
const (
	backport         = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
	extFilter        = backport + "backport-filter-criteria"
	extContent       = backport + "backport-payload-content"
	extHeartbeat     = backport + "backport-heartbeat-period"
	extTimeout       = backport + "backport-timeout"
	extMaxCount      = backport + "backport-max-count"
	extChannel       = backport + "backport-channel-type"
	profileNotify    = backport + "backport-subscription-notification-r4"
	profileStatus    = backport + "backport-subscription-status-r4"
	contentEmpty     = "empty"
	contentID        = "id-only"
	contentFull      = "full-resource"
	mask             = "***" // stands for the value of a header line, which is never shown
	maxHeaders       = 20
	maxEventsAtOnce  = 100
	minHeartbeat     = 5 * time.Second
	defaultHeartbeat = 30 * time.Second // of a stream of events
)

// subSpec is a Subscription as the room works with it. It holds no secret.
type subSpec struct {
	Base      string // address of the API as the subscriber saw it
	Topic     string // canonical; "" for a criteria of R4's own kind
	Criteria  []string
	Endpoint  string // "": its events are only read from $events
	Mime      string // payload; "" none (R4), JSON (topics)
	Content   string // empty, id-only, full-resource
	Heartbeat time.Duration
	Max       int
	End       time.Time
	Headers   []string // their names
}

var (
	errChannel = outcome.New(outcome.NotSupported, "exchange.channel",
		"Máy chủ chỉ gửi thông báo qua rest-hook, hoặc giữ sự kiện để đọc qua $events (rest-hook không có endpoint). Không gửi websocket, email, tin nhắn.",
		"Notifications go by rest-hook, or wait in $events (rest-hook without endpoint). There is no websocket, e-mail or message.")
	errCriteria = outcome.New(outcome.NotSupported, "exchange.criteria",
		"Điều kiện phải có dạng Loại?tham-số với các tham số so sánh được trên một tài nguyên: không có chuỗi liên kết, _has, _include, _sort, _text, _filter.",
		"The criteria must read Type?query with parameters that one resource can answer: no chains, _has, _include, _sort, _text, _filter.")
	errTopic = outcome.New(outcome.NotSupported, "exchange.topic",
		"Máy chủ không có chủ đề (SubscriptionTopic) này.", "This server does not have that SubscriptionTopic.")
	errTopicFilter = outcome.New(outcome.Value, "exchange.topic-filter",
		"Bộ lọc nêu loại tài nguyên mà chủ đề không có, hoặc chủ đề này cần ít nhất một bộ lọc.",
		"A filter names a type that the topic does not have, or this topic needs a filter.")
	errPayload = outcome.New(outcome.NotSupported, "exchange.payload",
		"Nội dung thông báo chỉ có dạng application/fhir+json hoặc application/fhir+xml.", "The payload can only be application/fhir+json or application/fhir+xml.")
	errHeader = outcome.New(outcome.Value, "exchange.header",
		"Dòng header phải có dạng “Tên: giá trị”, không phải header của chính giao thức.", "A header line must read “Name: value” and not be one of the protocol itself.")
	errSubscriptionStatus = outcome.New(outcome.Value, "exchange.status",
		"Chỉ gửi được trạng thái requested, active hoặc off; trạng thái error do máy chủ đặt.", "Only requested, active and off can be sent; error is for the server to set.")
)

// readSubscription reads what is asked for, and the header lines, which are secret.
func readSubscription(n r4.Node) (s subSpec, secret map[string]string, err error) {
	channel := n.Get("channel")
	if channel.Get("type").Text() != "rest-hook" || extension(channel.Get("_type"), extChannel).Exists() {
		return s, nil, errChannel.At("Subscription.channel.type")
	}
	s.Endpoint = channel.Get("endpoint").Text()
	if s.Mime = channel.Get("payload").Text(); s.Mime != "" {
		kind, _, _ := strings.Cut(s.Mime, ";")
		if kind = strings.TrimSpace(kind); !slices.Contains([]string{"application/fhir+json", "application/json", "application/fhir+xml", "application/xml"}, kind) {
			return s, nil, errPayload.At("Subscription.channel.payload")
		}
		s.Mime = "application/fhir+json"
		if strings.HasSuffix(kind, "xml") {
			s.Mime = "application/fhir+xml"
		}
	}
	if end := n.Get("end").Text(); end != "" {
		if s.End, err = time.Parse(time.RFC3339, end); err != nil {
			return s, nil, badParameter("Subscription.end", "không phải thời điểm", "is no instant")
		}
	}
	if secret, err = headersOf(channel, &s); err != nil {
		return s, nil, err
	}
	criteria := n.Get("criteria").Text()
	if strings.Contains(criteria, "?") || r4.IsResource(criteria) {
		s.Criteria = []string{criteria}
		return s, secret, nil
	}
	return s, secret, s.readTopic(n, criteria)
}

// readTopic reads the extensions of the backport.
func (s *subSpec) readTopic(n r4.Node, topic string) error {
	t, ok := topicOf(topic)
	if !ok {
		return errTopic.At("Subscription.criteria")
	}
	s.Topic = topic
	for e := range n.Get("_criteria").Get("extension").Elems() {
		if e.Get("url").Text() == extFilter {
			s.Criteria = append(s.Criteria, e.Get("valueString").Text())
		}
	}
	if len(s.Criteria) == 0 {
		s.Criteria = slices.Clone(t.Types) // all of the topic
	}
	for _, c := range s.Criteria {
		if typ, _, _ := strings.Cut(c, "?"); t.Types != nil && !slices.Contains(t.Types, typ) {
			return errTopicFilter.At("Subscription.criteria")
		}
	}
	if len(s.Criteria) == 0 {
		return errTopicFilter.At("Subscription.criteria")
	}
	channel := n.Get("channel")
	s.Content = extension(channel.Get("_payload"), extContent).Get("valueCode").Text()
	switch s.Content {
	case "":
		s.Content = contentEmpty
	case contentEmpty, contentID, contentFull:
	default:
		return errPayload.At("Subscription.channel.payload")
	}
	if s.Mime == "" {
		s.Mime = "application/fhir+json"
	}
	var err error
	if s.Heartbeat, err = seconds(channel, extHeartbeat, minHeartbeat); err != nil {
		return err
	}
	if _, err = seconds(channel, extTimeout, 0); err != nil { // ours is shorter than any that makes sense
		return err
	}
	s.Max = 1
	if text := extension(channel, extMaxCount).Get("valuePositiveInt").Text(); text != "" {
		if s.Max, err = strconv.Atoi(text); err != nil || s.Max < 1 {
			return badParameter("maxCount", "phải là số nguyên dương", "must be a positive integer")
		}
		s.Max = min(s.Max, maxEventsAtOnce)
	}
	return nil
}

func seconds(channel r4.Node, ext string, least time.Duration) (time.Duration, error) {
	text := extension(channel, ext).Get("valueUnsignedInt").Text()
	if text == "" || text == "0" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 7*86400 {
		return 0, badParameter(ext[strings.LastIndex(ext, "/")+1:], "phải là số giây", "must be a number of seconds")
	}
	return max(time.Duration(n)*time.Second, least), nil
}

func extension(n r4.Node, url string) r4.Node {
	for e := range n.Get("extension").Elems() {
		if e.Get("url").Text() == url {
			return e
		}
	}
	return r4.Node{}
}

// closedHeaders are those of the protocol, which a subscriber must not set.
var closedHeaders = []string{"host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "cookie", "proxy-authorization"}

func headersOf(channel r4.Node, s *subSpec) (map[string]string, error) {
	secret := map[string]string{}
	for h := range channel.Get("header").Elems() {
		name, value, ok := strings.Cut(h.Text(), ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || value == "" || len(secret) >= maxHeaders || !headerName(name) || strings.ContainsFunc(value, control) ||
			slices.Contains(closedHeaders, strings.ToLower(name)) {
			return nil, errHeader.At("Subscription.channel.header")
		}
		secret[strings.ToLower(name)] = value
		s.Headers = append(s.Headers, name)
	}
	return secret, nil
}

func control(c rune) bool { return c < ' ' || c == 0x7f }

func headerName(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c)
	})
}

// conditions reads the criteria: queries by type, of which one must hold.
func (s *subSpec) conditions(params *param.Registry) (map[string][]param.Query, error) {
	out := map[string][]param.Query{}
	always := ""
	if t, ok := topicOf(s.Topic); ok {
		always = t.Filter
	}
	for _, text := range s.Criteria {
		typ, query, _ := strings.Cut(text, "?")
		if always != "" {
			query = strings.Trim(always+"&"+query, "&")
		}
		v, err := url.ParseQuery(query)
		if err != nil || !r4.IsResource(typ) {
			return nil, errCriteria.At("Subscription.criteria")
		}
		q, err := params.Parse(typ, v, param.Options{})
		if err != nil {
			return nil, err
		}
		if q.Filter != nil || len(q.Sort)+len(q.Includes)+len(q.Elements) > 0 || q.Count != 0 || q.Summary != "" || q.Total != "" || q.Cursor != "" {
			return nil, errCriteria.At("Subscription.criteria")
		}
		for _, c := range q.Where {
			if _, err := params.Holds(c, typ, nil); err != nil { // whatever it can't answer it says of no values as well
				return nil, errCriteria.At("Subscription.criteria").Because(err)
			}
		}
		out[typ] = append(out[typ], q)
	}
	return out, nil
}

// what a subscription is told of.
func (s *subSpec) tells(what string) bool {
	if t, ok := topicOf(s.Topic); ok {
		return slices.Contains(t.What, what)
	}
	return what != deleted // FHIR R4 subscription.html: resources that are created or updated
}

// withStatus gives a Subscription with another status, its header lines masked
// and, when it has one, the reason of an error.
func withStatus(n r4.Node, status, fault string) []byte {
	var o r4.Object
	put := func(name string, v any) { o.Add(name, v) }
	for name, v := range n.Members() {
		switch name {
		case "error":
		case "status":
			put("status", status)
			if fault != "" {
				put("error", fault)
			}
		case "channel":
			put("channel", r4.Raw(masked(v)))
		default:
			put(name, r4.Raw(v.Raw()))
		}
	}
	return o.JSON()
}

func masked(channel r4.Node) []byte {
	var o r4.Object
	for name, v := range channel.Members() {
		if name != "header" {
			o.Add(name, r4.Raw(v.Raw()))
			continue
		}
		var lines []string
		for h := range v.Elems() {
			key, _, _ := strings.Cut(h.Text(), ":")
			lines = append(lines, strings.TrimSpace(key)+": "+mask)
		}
		o.Add("header", lines)
	}
	return o.JSON()
}
