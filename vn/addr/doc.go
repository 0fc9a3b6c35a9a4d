// Package addr reads Vietnamese addresses as people write them into
// administrative units, of before and of after 1 July 2025 (63 provinces with
// districts, 34 without), and tells what became of a unit.
//
// Text is often true of several places: the reader then gives them all, and
// never picks one silently. The tables and how sure they are:
// spec/vn/08-admin-units.md. For communes that were divided nobody publishes
// who went where, so the citizen has to be asked; Today says so.
package addr
