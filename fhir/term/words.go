package term

import (
	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/r4"
)

// foldListed makes the folded text of a concept as a set lists it.
func foldListed(code string, n r4.Node) string {
	text := code + " " + n.Get("display").Text()
	for d := range n.Get("designation").Elems() {
		text += " " + d.Get("value").Text()
	}
	return " " + fold.Key(text)
}
