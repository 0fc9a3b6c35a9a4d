// Package ident is the room of identity: whose record is it. A source record
// is the Patient as one facility wrote it; it never moves. A person is a
// golden Patient whose links name the source records. Matching, linking and
// un-linking only change links, each as an event that can be undone
// (DESIGN.md decision 9).
//
// A link is made by itself only on a number that names one person (personal
// number, social insurance number, passport) and only when name and birth date
// do not speak against it. Where they do, the record gets a person of its own
// and the pair is written down for somebody to decide: never a silent merge.
// Weighted matching of records without such numbers is not done here; those
// records stand by themselves.
package ident
