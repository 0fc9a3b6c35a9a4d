package person

// Level grades an agreement.
type Level uint8

// Levels, from nothing known to the same.
const (
	Unknown Level = iota // one side tells nothing
	Differs              // speaks against one person
	Weak                 // something in common, as relatives and strangers have too
	Near                 // the same but for a mistake that is often made
	Alike                // the same, written in another way or told less exactly
	Same
)

// Agreement is what a comparison saw. Key is a category: a sentence, and the
// unit that weights are learned for.
type Agreement struct {
	Level Level
	Key   string // "name.middle-left-out"; "" when Unknown
}

// VI is the sentence of an agreement in Vietnamese; "" when nothing was seen.
func (a Agreement) VI() string { return sentences[a.Key].vi }

// EN is the sentence of an agreement in English; "" when nothing was seen.
func (a Agreement) EN() string { return sentences[a.Key].en }

// AtLeast says whether the agreement reaches a level; Unknown reaches none.
func (a Agreement) AtLeast(l Level) bool { return a.Level != Unknown && a.Level >= l }

type sentence struct {
	level  Level
	vi, en string
}

// Seen gives the agreement of a key of Keys, for packages that compare what
// this one does not; an unknown key is Unknown.
func Seen(key string) Agreement {
	if s, ok := sentences[key]; ok {
		return Agreement{s.level, key}
	}
	return Agreement{}
}

func agreement(key string) Agreement { return Agreement{sentences[key].level, key} }

// Keys lists the categories that comparisons tell of, in no order.
func Keys() []string {
	out := make([]string, 0, len(sentences))
	for k := range sentences {
		out = append(out, k)
	}
	return out
}

var sentences = map[string]sentence{
	"name.same":             {Same, "Họ tên giống hệt nhau.", "The names are the same."},
	"name.spelling":         {Alike, "Họ tên giống nhau, chỉ khác cách viết (vị trí dấu thanh, i hoặc y, dấu cách).", "The names are the same but for the spelling (place of the tone mark, i or y, blanks)."},
	"name.unmarked":         {Alike, "Họ tên giống nhau khi bỏ dấu; một bên viết không dấu hoặc thiếu dấu.", "The names are the same without marks; one of them is written without some or all."},
	"name.addition":         {Alike, "Họ tên giống nhau khi bỏ danh xưng hoặc tên thánh.", "The names are the same without the title or baptismal name."},
	"name.order":            {Alike, "Các chữ trong họ tên giống nhau nhưng khác thứ tự.", "The names have the same words in another order."},
	"name.exchanged":        {Near, "Cùng họ; tên và tên đệm có cùng các chữ nhưng khác thứ tự.", "The family name is the same; given and middle names have the same words in another order."},
	"name.middle-left-out":  {Near, "Họ và tên giống nhau; một bên thiếu tên đệm.", "Family and given name are the same; one has fewer middle names."},
	"name.initials":         {Near, "Họ tên giống nhau; một bên viết tắt.", "The names are the same; one is written with initials."},
	"name.sound":            {Near, "Họ tên khác nhau ở chữ thường lẫn theo giọng vùng miền.", "The names differ in letters that sound the same in some regions."},
	"name.one-letter":       {Near, "Họ tên khác nhau đúng một chữ cái.", "The names differ in a single letter."},
	"name.marks":            {Weak, "Họ tên chỉ khác dấu, nhưng cả hai đều viết có dấu: có thể là hai người.", "The names differ only in marks, yet both are written with marks: they may be two people."},
	"name.family-differs":   {Weak, "Tên và tên đệm giống nhau nhưng khác họ.", "Given and middle names are the same, the family name is another."},
	"name.middle-differs":   {Weak, "Họ và tên giống nhau nhưng tên đệm khác.", "Family and given name are the same, the middle names are others."},
	"name.newborn":          {Weak, "Cả hai là trẻ sơ sinh gọi theo tên mẹ hoặc cha giống nhau: có thể là sinh đôi.", "Both are newborns called by the same parent's name: they may be twins."},
	"name.newborn-of":       {Differs, "Một bên là trẻ sơ sinh gọi theo tên mẹ hoặc cha, bên kia không phải.", "One is a newborn called by a parent's name, the other is not."},
	"name.given-differs":    {Differs, "Cùng họ, tên khác nhau.", "The family name is the same, the given name is another."},
	"name.differs":          {Differs, "Họ tên khác nhau.", "The names are different."},
	"birth.same":            {Same, "Ngày sinh giống nhau.", "The birth dates are the same."},
	"birth.as-far-as-known": {Alike, "Ngày sinh giống nhau ở phần mà cả hai bên đều biết.", "The birth dates are the same as far as both are known."},
	"birth.january":         {Near, "Cùng năm sinh; một bên ghi 01/01, thường là do không rõ ngày tháng.", "The year of birth is the same; one is 1 January, which is often written when the day is not known."},
	"birth.swapped":         {Near, "Ngày và tháng sinh bị đảo cho nhau.", "Day and month of birth are exchanged."},
	"birth.one-digit":       {Near, "Ngày sinh khác nhau đúng một chữ số.", "The birth dates differ in a single digit."},
	"birth.year":            {Weak, "Chỉ cùng năm sinh.", "Only the year of birth is the same."},
	"birth.day-and-month":   {Weak, "Cùng ngày và tháng sinh nhưng khác năm.", "Day and month of birth are the same, the year is another."},
	"birth.differs":         {Differs, "Ngày sinh khác nhau.", "The birth dates are different."},
	"sex.same":              {Same, "Cùng giới tính.", "The sex is the same."},
	"sex.differs":           {Differs, "Giới tính khác nhau.", "The sex is different."},
	"place.same":            {Same, "Cùng xã, phường.", "The commune is the same."},
	"place.successor":       {Alike, "Cùng nơi ở: một bên ghi xã, phường trước 01/07/2025, bên kia ghi xã, phường hiện nay.", "The place is the same: one is the commune of before 01/07/2025, the other the one of today."},
	"place.perhaps":         {Near, "Có thể cùng xã, phường: địa chỉ chưa rõ, hoặc xã cũ đã chia cho nhiều xã mới.", "The commune may be the same: an address is not clear, or the commune of before was divided."},
	"place.merged":          {Weak, "Hai xã, phường cũ khác nhau, nay thuộc cùng một xã, phường.", "Two communes of before that are one today."},
	"place.district":        {Weak, "Cùng huyện, quận cũ.", "The district of before is the same."},
	"place.province":        {Weak, "Cùng tỉnh, thành phố hiện nay.", "The province of today is the same."},
	"place.differs":         {Differs, "Khác tỉnh, thành phố.", "The provinces are different."},
	"phone.same":            {Same, "Cùng số điện thoại.", "The telephone numbers are the same."},
	"phone.renumbered":      {Alike, "Cùng số điện thoại; một bên còn ghi đầu số cũ trước năm 2018.", "The telephone numbers are the same; one still has its prefix of before 2018."},
	"phone.one-digit":       {Near, "Số điện thoại khác nhau đúng một chữ số.", "The telephone numbers differ in a single digit."},
	"phone.differs":         {Differs, "Số điện thoại khác nhau.", "The telephone numbers are different."},
}
