// Package ident is the room of identity: whose record is it. A source record
// is the Patient as one facility wrote it; it never moves. A person is a
// golden Patient whose links name the source records. Matching, merging and
// splitting only change links, each as an event that can be undone
// (DESIGN.md decision 9).
//
// A link is made by itself only on a number that names one person (personal
// number, social insurance number, passport) and only when name, birth date
// and sex do not speak against it. A number that several persons carry, that
// was given up, or that does not fit who carries it (a child with its mother's)
// wants more: all three known and alike. In doubt the record gets a person of
// its own, and the pair is written down for somebody to decide: never a silent
// merge. Weighted matching of records without such numbers is not done here;
// those records stand by themselves.
//
// A golden Patient is made of nothing but the links and the source records:
// the one told last shows, so the order in which files come does not matter,
// and what was undone is as it was before.
package ident
