// Package sqlstore is fhir/store on SQL: one text on two engines, SQLite and
// PostgreSQL (DESIGN.md decisions 5, 6, 8, 11, 12).
//
// A resource is one row of res; what can be searched for is one b-tree entry a
// value, in four tables:
//
//	post  equality: v is a keyed 64-bit hash of type, parameter and value
//	txt   text: p is the hash of type and parameter, s the folded text from each word on
//	span  order: dates as milliseconds, numbers as float bits in sortable order
//	refr  references of a resource: h is the hash of the target, so a target may come later than its reference;
//	      who refers to a target is told by post
//
// The links of golden Patients are in a fifth, person, by both ends.
//
// A search is a list of conditions. One leads, the rarest as far as a probe
// tells; the others are looked up for each of its rows. What the tables don't
// hold exactly (composites, parts of words, codes' display texts, distances,
// numbers that floats can't tell apart) they narrow, and the resource itself is
// put to the test (param.Registry.Holds), within a bound: a search beyond it is
// outcome.TooCostly and never a part of its result. What a clause means is told
// by package param; TestDifferential holds the store to it.
//
// Each entry carries d, the negative clinical date, so that a list comes newest
// first and a page is a range of keys. cp is the shard of the patient
// compartment: it places rows and is part of every key, but no search relies on it.
//
// Two values that share a 64-bit hash would be taken for one. With 10^10
// entries the chance that a given search meets such a pair is about 5·10^-10;
// the hash is keyed with a secret of the installation so that nobody can make one.
package sqlstore
