// Package spec carries the tables of the law as they stand in this folder, so
// that the program is built from the very files that people read and correct.
// Where each comes from, and how sure it is, is told beside them.
package spec

import "embed"

// FS holds qd3176/*.csv, qd3176/codelists/*.csv and vn/*.csv.
//
//go:embed qd3176/*.csv qd3176/codelists/*.csv vn/*.csv
var FS embed.FS
