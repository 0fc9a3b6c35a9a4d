package claim

// Release is the decision whose forms a file follows.
type Release string

// Releases (spec/qd3176/releases.csv).
const (
	QD4210 Release = "4210"
	QD130  Release = "130"
	QD4750 Release = "4750"
	QD3176 Release = "3176"
	QD1931 Release = "1931"
)

// File is one submission. Kind says which document it was: exactly one of
// HOSO, CheckIns or Assessments is filled.
type File struct {
	Kind        Kind
	MACSKCB     string // facility code of the envelope; blank in XML0 and XML12
	NGAYLAP     string
	SOLUONGHOSO string
	HOSO        []*HOSO
	CheckIns    []XML0
	Assessments []XML12
	CHUKYDONVI  string // inner bytes of the signature element, as received
	Problems    []Problem
}

// Kind is the outer document.
type Kind string

// Kinds of submission (envelope.md §1), named by the gateway's loaiHoSo.
const (
	CheckIn    Kind = "0"
	Claim      Kind = "130"
	Assessment Kind = "12"
)

// HOSO is the record of one visit: all rows that share one MA_LK.
// XML1 is nil when it was absent or could not be read.
type HOSO struct {
	Ordinal int // in the file, from 1
	XML1    *XML1
	XML2    []XML2
	XML3    []XML3
	XML4    []XML4
	XML5    []XML5
	XML6    []XML6
	XML7    []XML7
	XML8    []XML8
	XML9    []XML9
	XML10   []XML10
	XML11   []XML11
	XML13   []XML13
	XML14   []XML14
	XML15   []XML15
	// Parts lists every FILEHOSO in the order received, readable or not, known or not.
	Parts    []Part
	Problems []Problem
}

// Part is one FILEHOSO. Raw holds the inner bytes of parts that were not
// decoded into rows (unknown LOAIHOSO, damaged content); it is nil otherwise.
type Part struct {
	LOAIHOSO string
	Rows     int
	Raw      []byte
}

// Problem is what the reader could not read as the standard writes it. It is
// not a finding of the rules: package check turns problems into findings.
type Problem struct {
	Code  ProblemCode
	Table string // "XML2", or "" for the envelope
	Row   int    // from 1, 0 when it concerns the part
	Field string
	Value string // cut to 64 characters
	Cause string // technical, English
}

// ProblemCode names a kind of problem.
type ProblemCode string

// Problems of the reader.
const (
	BadBase64     ProblemCode = "base64"       // NOIDUNGFILE is neither base64 nor elements
	BadXML        ProblemCode = "xml"          // not well-formed, or not UTF-8
	WrongRoot     ProblemCode = "root"         // root element is not that of LOAIHOSO
	UnknownPart   ProblemCode = "unknown-part" // LOAIHOSO is not of the standard
	RepeatedPart  ProblemCode = "repeated-part"
	RepeatedField ProblemCode = "repeated-field"
	UnknownField  ProblemCode = "unknown-field"
	NestedContent ProblemCode = "nested" // elements in place of base64: read all the same
	TooLarge      ProblemCode = "too-large"
	Entity        ProblemCode = "entity" // DTD or entity declaration: refused
)

// Rows lists every row of the visit, table by table, in the order of the standard.
func (h *HOSO) Rows() []Record {
	rows := make([]Record, 0, 1+len(h.XML2)+len(h.XML3)+len(h.XML4)+len(h.XML5))
	if h.XML1 != nil {
		rows = append(rows, h.XML1)
	}
	for n := 2; n <= 15; n++ {
		rows = append(rows, h.Of(n)...)
	}
	return rows
}
