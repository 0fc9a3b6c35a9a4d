// Package claim reads and writes the electronic data of a visit to a health
// facility as QĐ 130/QĐ-BYT, changed by QĐ 4750 and QĐ 3176, lays it down: the
// check-in table XML0, the envelope GIAMDINHHS with XML1–XML11 and XML13–XML15,
// and the stand-alone XML12. Reading is tolerant and loses nothing; writing is
// strict and in the order of letter 1245/BHXH-CNTT.
//
// Fields carry the law's own names (MA_LK, T_BHTT), so that what the decision
// prints can be searched for. Sources: spec/qd3176/tables.csv, envelope.md.
package claim

import "time"

// Type is the form of a field's value.
type Type uint8

// The types of tables.csv.
const (
	TString Type = iota
	TCDATA
	TNumber
	TDecimal1
	TDecimal2
	TDecimal3
	TDate8
	TDate12
	TBirthDate12
	TDate8Or12
	TNumberList
	TDate8List
	TDate12List
)

// Demand says whether a field must be filled.
type Demand uint8

// Demands of tables.csv: Conditional has its condition in Field.Condition,
// KeyMayBeEmpty is a field whose element must be there but may be blank.
const (
	Optional Demand = iota
	Required
	Conditional
	KeyMayBeEmpty
)

// Field describes one field of one table (a row of tables.csv).
type Field struct {
	Name      string
	Order     int // in the table, as letter 1245 prints it
	Type      Type
	MaxLen    int // annex, in characters; 0: no limit given
	PortalLen int // what the insurer's portal accepts when wider, else 0
	Demand    Demand
	Condition string // when Conditional
	CodeList  string // name in codelists_index.csv, "catalogue:…" or "vn:…"
	Separator string // of several values in one field, else ""
	Since     string // releases that brought or changed it, for example "130>3176"
	From, To  string // yyyy-mm-dd, inclusive, blank: open
	MeaningEN string
}

// Places is the number of digits a decimal may have after its dot.
func (f *Field) Places() int {
	switch f.Type {
	case TDecimal1:
		return 1
	case TDecimal2:
		return 2
	case TDecimal3:
		return 3
	}
	return 0
}

// In says whether the field belongs to the release in force on a day.
func (f *Field) In(day time.Time) bool {
	d := day.In(VietNam).Format("2006-01-02")
	return (f.From == "" || f.From <= d) && (f.To == "" || d <= f.To)
}

// Table describes one of XML0 to XML15.
type Table struct {
	Number           int
	Name             string // "XML1"
	TitleVI, TitleEN string
	Root, List, Row  string // element names (envelope.md §3); List and Row are blank where the root is the row
	Fields           []Field
}

// Field finds a field by name, nil when the table has none of that name.
func (t *Table) Field(name string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}

// Record is a row of any table, for code that goes by field and not by name.
type Record interface {
	Table() *Table
	// Get gives the text of Table().Fields[i]; Set puts it.
	Get(i int) string
	Set(i int, text string)
	// Rest gives what the row held beside the fields of its table.
	Rest() *Rest
}

// Rest keeps what a foreign row held beside the fields known: legacy fields
// (tables_legacy.csv), misspelt ones, and repeats. It is never dropped.
type Rest struct {
	// Missing marks fields whose element was absent, by index in Table.Fields.
	// A field that is there but blank is not Missing.
	Missing map[int]bool `json:"missing,omitempty"`
	Extra   []Extra      `json:"extra,omitempty"`
}

// Extra is an element of no known field.
type Extra struct{ Name, Text string }

// ByName gives the text of a named field of a row, "" when it has none.
func ByName(r Record, name string) string {
	for i := range r.Table().Fields {
		if r.Table().Fields[i].Name == name {
			return r.Get(i)
		}
	}
	return ""
}
