// Package person reads and compares what is told of people in Vietnam: names
// of the Kinh and of the other peoples, birth dates of which only a part is
// known, sex, and telephone numbers across the change of prefixes in 2018.
//
// Comparing gives a graded Agreement whose Key names what was seen ("a middle
// name is left out", "day and month are exchanged") and whose sentence says so
// to a person. It gives no weights and decides nothing: how much an agreement
// speaks for one person is for whoever matches records (internal/room/ident).
//
// Lists of titles, baptismal names and family names of more than one word are
// from general knowledge, not from a law; they only help to split and to
// compare, and never refuse a name.
package person
