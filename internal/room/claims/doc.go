// Package claims is the room of the claim files that hospitals send (QĐ 130,
// 4750, 3176): it gives a receipt at once, keeps the original, checks each
// HOSO, and turns those that pass into resources of a person's health book.
//
// The life of a file:
//
//	receive   original, receipt and a row a HOSO in one commit, transaction number answered
//	process   each HOSO by itself and several side by side: check, version, match the person, write
//	status    per HOSO, with every finding and how to mend it
//
// One bad HOSO does not sink its neighbours. What was received is never lost:
// a receipt that was not finished when the process stopped is finished at the
// next start, and a HOSO that failed by our fault is tried again then, a few times.
//
// What refuses a file whole, with its reason and kept all the same: it can't be
// read, is cut off, counts other than it declares, carries no facility or
// another than the sender's, came by the door of another kind, holds nothing,
// or breaks a rule about the file itself (rules.csv FILE.*, severity error: the
// signature, say, covers all of it). Warnings about the file, and its rules
// that could not be judged, are shown with the receipt.
//
// Versions. The key of a visit is (facility, MA_LK). The same content changes
// nothing; content made earlier than what stands is kept and not applied;
// anything else replaces. A claim always outranks a check-in of its visit. When
// one MA_LK stands twice in a file, the later HOSO is the newer version. The
// order is total (see stamp), so the outcome does not depend on which of two
// files is processed first.
//
// A check-in (XML0) is stored the same way, row by row. A medical assessment
// (XML12) names no visit: it is checked, kept and read back, not turned into
// resources.
//
// Source: spec/qd3176/gateway.md, envelope.md §2.
package claims
