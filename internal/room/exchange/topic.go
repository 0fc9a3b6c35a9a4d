package exchange

// What may happen to a resource.
const (
	created = "create"
	updated = "update"
	deleted = "delete"
)

// Topic is something that one may subscribe to (Subscriptions R5 Backport
// 1.1.0: the SubscriptionTopic itself is no resource of R4, so that the list
// is the program's own and its canonicals are what a Subscription.criteria names).
type Topic struct {
	URL    string
	VI, EN string
	Types  []string // nil: those that the filters name
	What   []string // created, updated, deleted
	Filter string   // condition that always holds, as in a search; "" for none
}

// topicBase begins the canonicals of our topics.
const topicBase = "urn:ytso:topic:"

// Topics lists what one may subscribe to.
func Topics() []Topic {
	return []Topic{
		{topicBase + "resource-change", "Tài nguyên thuộc các loại nêu trong bộ lọc được tạo, sửa hoặc xóa.",
			"A resource of the types that the filters name is created, updated or deleted.", nil, []string{created, updated, deleted}, ""},
		{topicBase + "resource-new", "Tài nguyên thuộc các loại nêu trong bộ lọc được tạo mới.",
			"A resource of the types that the filters name is created.", nil, []string{created}, ""},
		{topicBase + "resource-deleted", "Tài nguyên thuộc các loại nêu trong bộ lọc bị xóa.",
			"A resource of the types that the filters name is deleted.", nil, []string{deleted}, ""},
		{topicBase + "visit", "Có lượt khám mới hoặc lượt khám thay đổi.", "A visit is new or has changed.",
			[]string{"Encounter"}, []string{created, updated}, ""},
		{topicBase + "result-final", "Có phiếu kết quả ở trạng thái chính thức.", "A report of results is final.",
			[]string{"DiagnosticReport"}, []string{created, updated}, "status=final,amended,corrected"},
	}
}

func topicOf(url string) (Topic, bool) {
	for _, t := range Topics() {
		if t.URL == url {
			return t, true
		}
	}
	return Topic{}, false
}
