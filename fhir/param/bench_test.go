package param

import (
	"net/url"
	"testing"
)

func BenchmarkParse(b *testing.B) {
	for name, v := range map[string]url.Values{
		"patient+code": {"patient": {"Patient/p1"}, "code": {"http://loinc.org|4548-4"}, "_count": {"20"}},
		"chain":        {"subject:Patient.name": {"nguyen"}, "date": {"ge2026-01-01"}, "_sort": {"-date"}, "_include": {"Observation:subject"}},
		"quantity":     {"code-value-quantity": {"http://loinc.org|4548-4$gt6.5|http://unitsofmeasure.org|%"}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse("Observation", v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
