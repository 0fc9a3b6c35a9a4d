package fhirmap

import (
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// Money gives the totals of a Claim as XML1 wrote them, by the law's names:
// T_TONGCHI_BV (which is Claim.total), T_TONGCHI_BH, T_BHTT, T_BNCCT, T_BNTT,
// T_NGUONKHAC, T_THUOC, T_VTYT, T_BHTT_GDV. What was blank is not in the map.
func Money(claim r4.Node) map[string]string {
	return amounts(claim, map[string]string{"total": "T_TONGCHI_BV"})
}

// ItemMoney gives the amounts of an item of a Claim by the law's names:
// THANH_TIEN_BV (its net), DON_GIA or DON_GIA_BV (its unitPrice), THANH_TIEN_BH,
// DON_GIA_BH, T_TRANTT, T_BHTT, T_BNCCT, T_BNTT, T_NGUONKHAC and its four sources.
func ItemMoney(item r4.Node) map[string]string {
	price := "DON_GIA_BV"
	if Table(item) == "XML2" {
		price = "DON_GIA"
	}
	return amounts(item, map[string]string{"net": "THANH_TIEN_BV", "unitPrice": price})
}

// Table tells whether an item of a Claim is a row of XML2 or XML3.
func Table(item r4.Node) string { return element.FindExt(item, "bang").Get("valueCode").Text() }

func amounts(n r4.Node, elements map[string]string) map[string]string {
	out := make(map[string]string, 16)
	put := func(name string, money r4.Node) {
		if text := element.Get(money, "value", element.Decimal); text != "" {
			out[name] = text
		}
	}
	for e, name := range elements {
		put(name, n.Get(e))
	}
	for e := range n.Get("extension").Elems() {
		if name, ok := strings.CutPrefix(e.Get("url").Text(), element.Extension+amount); ok {
			put(name, e.Get("valueMoney"))
		}
	}
	return out
}
