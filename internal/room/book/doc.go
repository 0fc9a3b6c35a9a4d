// Package book is the citizen's health book (/so): who I am, my visits, and of
// each visit what was found, given, measured, written and paid (Luật Khám bệnh,
// chữa bệnh 15/2023/QH15 điều 10 and 69: the patient's right to the record).
//
// It is read on a phone by people who are ill or old: large, plain, one thing a
// screen, and nothing that the record does not say. What a page computes (which
// illness comes back, how long a medicine lasts, what is out of range) states
// its rule on the page.
//
// Every page is three steps: one View of the store reads resources; functions
// without a store make a view struct of them; a templ page shows it. Only the
// person whose book it is gets in; what belongs to somebody else is not found.
package book
