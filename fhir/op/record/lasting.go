package record

import "strings"

// lasting are the categories of ICD-10 whose illnesses last by their nature,
// singly or as ranges: infections that stay, cancer, disorders of blood, glands
// and metabolism, of the mind, of nerves and senses, of heart and vessels, lungs,
// gut and liver, joints, kidneys, malformations, what is transplanted or implanted.
// It decides between two sections of a summary and nothing else.
const lasting = `B18 B20-B24 C00-C97 D45-D47 D56-D58 D61 D66-D69 E00-E03 E05 E10-E14 E22-E27 E66 E70-E72 E74-E80 E83-E85
	F00-F03 F20-F25 F31 F70-F79 F84 G10-G14 G20-G24 G30-G37 G40 G70-G73 G80-G83 H40 H54 H90 I05-I09 I10-I15 I20 I25 I27 I34-I37 I42 I48 I50 I69-I71
	J41-J47 J84 K50-K51 K70 K73-K74 L40 M05-M08 M10 M15-M19 M30-M35 M45 M80-M81 N18 N40 Q00-Q99 Z89 Z94 Z95`

// lasts says whether the illness of an ICD-10 code lasts by its nature.
func lasts(code string) bool {
	if len(code) < 3 {
		return false
	}
	category := strings.ToUpper(code[:3])
	for span := range strings.FieldsSeq(lasting) {
		from, to, ranged := strings.Cut(span, "-")
		if category == from || ranged && from <= category && category <= to {
			return true
		}
	}
	return false
}
