// Package list turns a list that an operator supplies (ICD-10 in Vietnamese,
// medicines, services) from CSV into a code system and the value set of all its
// codes. A mapping in JSON says which column is what:
//
//	{"url": "urn:benh-vien:thuoc", "version": "2026-01-01", "name": "DanhMucThuoc", "title": "Danh mục thuốc", "language": "vi",
//	 "valueSet": "urn:benh-vien:thuoc:vs", "hierarchyMeaning": "is-a",
//	 "code": "MA_THUOC", "display": "TEN_THUOC", "displays": {"en": "NAME"}, "parent": "NHOM",
//	 "validFrom": "TU_NGAY", "validTo": "DEN_NGAY",
//	 "properties": {"HAM_LUONG": {"code": "strength", "type": "string"}}}
//
// Only UTF-8 is read, with or without a byte-order mark; fields are parted by
// commas, semicolons or tabs (told by the header unless "separator" says so)
// and quoted as RFC 4180 has it. An error names the line. Text becomes NFC.
//
// Source: FHIR R4 codesystem.html, codesystem-concept-properties.html.
package list

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
)

// Mapping says what the columns are; the names of columns are those of the header.
type Mapping struct {
	URL, Version, Name, Title, Language string
	ValueSet                            string // canonical; "" is url + "/vs"
	HierarchyMeaning                    string // of parent; "" is "is-a"
	CaseSensitive                       *bool  // nil: true
	Separator                           string // "" tells it by the header
	Code, Display, Parent               string
	Displays                            map[string]string // language → column
	ValidFrom, ValidTo                  string            // columns of days: yyyy-mm-dd, dd/mm/yyyy or yyyymmdd
	Properties                          map[string]Property
}

// Property is a column that becomes a property of the concepts.
type Property struct {
	Code, URI string
	Type      string // code, string, integer, boolean, dateTime, decimal
}

var types = []string{"code", "string", "integer", "boolean", "dateTime", "decimal"}

func fault(kind outcome.Kind, key, vi, en string) *outcome.Error {
	return outcome.New(kind, "list."+key, vi, en)
}

// ReadMapping reads and checks a mapping. A member that it doesn't know is an error, so that no column is forgotten by a slip.
func ReadMapping(text []byte) (m *Mapping, err error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF"))))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, fault(outcome.Invalid, "mapping", "Không đọc được tệp ánh xạ: "+err.Error()+".", "The mapping can't be read: "+err.Error()+".").Because(err)
	}
	missing := ""
	switch {
	case m == nil || m.URL == "":
		missing = "url"
	case m.Version == "":
		missing = "version"
	case m.Code == "":
		missing = "code"
	case m.Display == "":
		missing = "display"
	}
	if missing != "" {
		return nil, fault(outcome.Required, "mapping-member", "Tệp ánh xạ thiếu “"+missing+"”.", "The mapping lacks \""+missing+"\".")
	}
	if strings.ContainsAny(m.URL+m.Version+m.ValueSet, "| \t\n#") {
		return nil, bad("url, version, valueSet", "không được có dấu cách, | hoặc #", "must hold no blank, | or #")
	}
	if m.ValueSet == "" {
		m.ValueSet = m.URL + "/vs"
	}
	if m.HierarchyMeaning == "" {
		m.HierarchyMeaning = "is-a"
	}
	if !slices.Contains([]string{"is-a", "part-of", "grouped-by", "classified-with"}, m.HierarchyMeaning) {
		return nil, bad("hierarchyMeaning", "không có trong FHIR R4", "is none of FHIR R4")
	}
	if len(m.Separator) > 1 || m.Separator == `"` {
		return nil, bad("separator", "phải là một ký tự", "must be one character")
	}
	for column, p := range m.Properties {
		if p.Code == "" || !slices.Contains(types, p.Type) {
			return nil, bad("properties."+column, "cần code và type: "+strings.Join(types, ", "), "needs code and type: "+strings.Join(types, ", "))
		}
		if slices.Contains([]string{"parent", "effectiveDate", "deprecationDate"}, p.Code) {
			return nil, bad("properties."+column, "mã thuộc tính này dành cho parent, validFrom, validTo", "this code belongs to parent, validFrom and validTo")
		}
	}
	return m, nil
}

func bad(member, vi, en string) error {
	return fault(outcome.Value, "mapping-value", fmt.Sprintf("Tệp ánh xạ, “%.60s”: %s.", member, vi), fmt.Sprintf("The mapping, %.60q: %s.", member, en))
}
