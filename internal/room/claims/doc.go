// Package claims is the room of the claim files that hospitals send (QĐ 130,
// 4750, 3176): it gives a receipt at once, keeps the original, checks each
// HOSO, and turns those that pass into resources of a person's health book.
//
// The life of a file:
//
//	receive   original and receipt in one commit, transaction number answered
//	process   each HOSO by itself: check, version, match the person, write
//	status    per HOSO, with every finding and how to mend it
//
// One bad HOSO does not sink its neighbours; a file that is cut off or not of
// the sender is refused whole. What was received is never lost: a receipt that
// was not finished when the process stopped is finished at the next start.
//
// Source: spec/qd3176/gateway.md, envelope.md §2.
package claims
