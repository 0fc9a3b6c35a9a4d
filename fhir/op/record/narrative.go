package record

import (
	"bytes"
	"encoding/xml"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// narrative is a Narrative with its div; body is XHTML whose texts are escaped.
func narrative(body string) r4.Object {
	return r4.Object{
		{Name: "status", Value: "generated"},
		{Name: "div", Value: `<div xmlns="http://www.w3.org/1999/xhtml" lang="vi" xml:lang="vi">` + body + `</div>`},
	}
}

// escape makes a text safe between tags: what XML can't hold becomes U+FFFD.
func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a Buffer takes everything
	return strings.NewReplacer("&#xA;", "<br/>", "&#xD;", "", "&#x9;", " ").Replace(b.String())
}

// both is a heading: Vietnamese first, English beside it.
func both(vi, en string) string {
	return escape(vi) + ` <span lang="en" xml:lang="en">(` + escape(en) + `)</span>`
}

// table shows the items of a section; columns that are blank throughout are left out.
func (s *summary) table(m *madeSection) string {
	rows := make([][]string, len(m.items))
	used := make([]bool, len(m.columns))
	for i, it := range m.items {
		rows[i] = make([]string, len(m.columns))
		for j, c := range m.columns {
			rows[i][j] = c.text(s, it.doc.Root())
			used[j] = used[j] || rows[i][j] != ""
		}
	}
	var b strings.Builder
	b.WriteString("<table><thead><tr>")
	for j, c := range m.columns {
		if used[j] {
			b.WriteString("<th>" + both(c.vi, c.en) + "</th>")
		}
	}
	b.WriteString("</tr></thead><tbody>")
	for _, row := range rows {
		b.WriteString("<tr>")
		for j, t := range row {
			if used[j] {
				b.WriteString("<td>" + escape(t) + "</td>")
			}
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</tbody></table>")
	return b.String()
}

// sectionText is the narrative of a section.
func (s *summary) sectionText(m *madeSection) r4.Object {
	switch {
	case m.withheld:
		return narrative("<p>" + both("Người yêu cầu không được xem phần này.", "Whoever asked may not see this part.") + "</p>")
	case len(m.items) == 0:
		return narrative("<p>" + both(m.noneVI, m.noneEN) + "</p>")
	}
	return narrative(s.table(m))
}

// itemText is the narrative of a resource.
func (s *summary) itemText(it *item) r4.Object {
	n := it.doc.Root()
	if it.key.Type == "Patient" {
		return s.patientText(n)
	}
	var rows []string
	if it.about != nil {
		for _, c := range it.about.columns {
			if t := c.text(s, n); t != "" {
				rows = append(rows, "<li>"+both(c.vi, c.en)+": "+escape(t)+"</li>")
			}
		}
	}
	if len(rows) > 0 {
		return narrative("<ul>" + strings.Join(rows, "") + "</ul>")
	}
	t := strings.TrimSpace(s.nameText(n))
	if t == "" || t == ":" {
		t = it.key.Type
	}
	return narrative("<p>" + escape(t) + "</p>")
}

func (s *summary) patientText(n r4.Node) r4.Object {
	list := [][3]string{
		{"Họ tên", "Name", nameOf(n.Get("name").At(0))}, {"Ngày sinh", "Date of birth", show(n.Get("birthDate").Text())},
		{"Giới tính", "Gender", word(n.Get("gender").Text())}, {"Địa chỉ", "Address", n.Get("address").At(0).Get("text").Text()},
	}
	var b strings.Builder
	for _, l := range list {
		if l[2] != "" {
			b.WriteString("<li>" + both(l[0], l[1]) + ": " + escape(l[2]) + "</li>")
		}
	}
	if b.Len() == 0 {
		return narrative("<p>" + both("Chưa có thông tin về người bệnh.", "Nothing is known about the patient.") + "</p>")
	}
	return narrative("<ul>" + b.String() + "</ul>")
}
