package main

import (
	"regexp"
	"strings"
)

// cause is a kind of difference that was looked at: where it shows, and why our answer stays.
type cause struct {
	asked  string // regular expression over the question
	theirs string // regular expression over their answer, "" for any
	why    string
}

// causes, the first that fits counts. Where the other engine is wrong the
// sentence that says so is named; where both may stand, what differs.
var causes = []cause{
	{`^\(1 \| 2\) ~ \(2 \| 1\)$`, `false`,
		"N1 §6.1.2: “If both operands are collections of multiple items, the comparison is not order dependent”"},
	{`^-7 div 2$`, `-4`,
		"N1 §6.6.5: div “performs truncated division”, and the unary minus binds closer than div (§6.8): -3"},
	{`convertsToDate`, `true`,
		"there is no month 13, so the text is no date (N1 §5.5.4)"},
	{`^5 'mg' = 5 'mL'$`, `false`,
		"N1 §6.1.1: quantities are compared when their dimensions are the same; of others the answer is empty"},
	{`[<>]`, `^error: undefined$`,
		"quantities of different dimensions have no order, which is the empty answer (N1 §6.2.1); the other engine throws"},
	{`text\.status (~|!~) `, ``,
		"N1 §6.1.2: “if one input is a value and the other is empty, the result will be false” (and !~ its opposite)"},
	{`^id( is |\.type)`, ``,
		"Resource.id has the FHIR type id, which derives from string (resource.html, datatypes.html#id); the other model takes the type of its representation"},
	{`^text\.div\.type`, `error`,
		"div is an operator too, so that the member wants backticks; we read it after a dot without them as well"},
	{`^@.*(minutes|hours)$`, `00:00`,
		"the same instant: the other engine writes Z as -00:00"},
	{`^5 'mg' \+ 5 'mg'$`, `10 mg`,
		"the same quantity: ours has its unit in quotes, as a literal has"},
	{`^2 'cm' \* 3 'cm'$`, `m1`,
		"the same quantity: both units are square metres"},
	{`\$this is Extension`, ``,
		"the other engine does not know extensions by their type when it comes to them through descendants()"},
	{`hasExtension`, `Not implemented`,
		"hasExtension() is a function that R4's own expression uses and R4 does not define; the other engine has none"},
	{`resolve\(\)`, `asynchronous`,
		"the other engine resolves references only when asked asynchronously"},
	{`oding\)?\.code.*(istinct|union)|oding\)\.code \| `, ``,
		"two codes that are equal but for an extension beside one: FHIR R4 fhirpath.html#types converts primitives to their values, which are equal; the other engine keeps them apart"},
	{`^children\(\)\.where\(\$this is BackboneElement\)`, `"5"`,
		"actor, instance and process of an ExampleScenario are all BackboneElements (examplescenario.html); the other model does not say so of instance"},
	{` as |\.as\(`, `Expected singleton`,
		"FHIR R4 search.html, fhirpath.html: in search expressions and invariants “as” takes the items of the type; in the other engine it wants one item"},
}

var compiled = func() (out [][2]*regexp.Regexp) {
	for _, c := range causes {
		out = append(out, [2]*regexp.Regexp{regexp.MustCompile(c.asked), regexp.MustCompile(c.theirs)})
	}
	return out
}()

// reason tells why an answer differs, "" when nobody has looked at it yet.
func reason(q question, ours, theirs result) string {
	if strings.HasPrefix(ours.err, "too-costly") && theirs.err == "" {
		return "our bound of steps ends it (fhirpath.Env.MaxSteps): the other engine has none"
	}
	for i, c := range causes {
		if compiled[i][0].MatchString(q.source) && compiled[i][1].MatchString(theirs.String()) {
			return c.why
		}
	}
	return ""
}
