package validate

import (
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/r4"
)

// profile is a StructureDefinition made ready: a tree of rules that say what
// goes beyond the base definitions, which Structure checks.
type profile struct {
	url, version string
	typ          string // of what it describes: "Patient", "Extension", "Quantity"
	name         string
	doc          *r4.Doc // nil of a base type
	root         *rule
	byPath       map[string]*rule // for content that repeats another element's
	lacks        []string         // canonicals of bases that are not at hand
	contexts     []usage
	contextRules []*constraint
	modifier     bool
}

// usage is one place where an extension may stand (FHIR R4 defining-extensions.html#context).
type usage struct{ kind, expression string }

// rule is what a profile says of one element, or of one slice of it.
type rule struct {
	name     string // "value" of value[x]
	choice   bool
	path     string // in the StructureDefinition
	slice    string // full name of the slice: "a", "a/b"
	min, max int    // unset: not said or, of max, without bound
	types    []typeRule
	fixed    r4.Node
	pattern  r4.Node
	lowest   r4.Node // minValue[x]
	highest  r4.Node
	longest  int
	binding  *binding
	rules    []*constraint
	slicing  *slicing
	slices   []*rule
	children []*rule
	sameAs   string // path whose content is repeated
	source   elemExtensions
}

const unset = -1

// typeRule is one type that the element may have.
type typeRule struct {
	code        string
	profiles    []string
	targets     []string
	aggregation []string
	versioning  string
}

// binding names the codes of an element.
type binding struct {
	strength string // required, extensible, preferred, example
	set      string
	more     []extraBinding
	max      string // value set that bounds an extensible one (elementdefinition-maxValueSet)
}

// slicing says how the values of an element are told apart (FHIR R4 profiling.html#slicing).
type slicing struct {
	by      []discriminator
	rules   string // closed, open, openAtEnd
	ordered bool
}

type discriminator struct{ kind, path string }

// maxProfiles bounds the profiles kept in a Validator; when it is reached all are forgotten.
const maxProfiles = 4096

// cache keeps profiles by canonical; nil stands for one that is not at hand.
type cache struct {
	mu   sync.Mutex
	made map[string]*profile
	age  uint64
}

func (k *cache) get(url string) (p *profile, ok bool, age uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok = k.made[url]
	return p, ok, k.age
}

// put keeps a profile, unless Forget was called since its definition was looked for.
func (k *cache) put(url string, p *profile, age uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.age != age {
		return
	}
	if k.made == nil || len(k.made) >= maxProfiles {
		k.made = map[string]*profile{}
	}
	k.made[url] = p
}

func (k *cache) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.made = nil
	k.age++
}

const structures = "http://hl7.org/fhir/StructureDefinition/"

// baseOf gives the type of a canonical that names a base definition, "" otherwise.
func baseOf(url string) string {
	name, ok := strings.CutPrefix(url, structures)
	if !ok {
		if name, ok = strings.CutPrefix(url, "http://hl7.org/fhirpath/System."); ok {
			return "System." + name
		}
		return ""
	}
	name, _, _ = strings.Cut(name, "|")
	if _, ok := r4.ElementAt(name); !ok || strings.Contains(name, ".") {
		return ""
	}
	return name
}

// profile gives a profile by its canonical; nil when it is not at hand, and when c.err is set.
func (c *check) profile(canonical string) *profile { return c.load(canonical, 0) }

// load is profile for a definition on which others are waiting already.
func (c *check) load(canonical string, waiting int) *profile {
	if c.err != nil || waiting > 32 {
		return nil
	}
	if t := baseOf(canonical); t != "" {
		return &profile{url: canonical, typ: t, name: t, root: &rule{name: t, path: t, min: unset, max: unset, longest: unset}}
	}
	p, ok, age := c.v.profiles.get(canonical)
	if ok {
		return p
	}
	if c.v.source == nil {
		return nil
	}
	url, version, _ := canon.Split(canonical)
	d, err := c.v.source.Find(c.ctx, "StructureDefinition", url, version)
	if err != nil {
		c.err = err
		return nil
	}
	if d == nil || d.Type() != "StructureDefinition" {
		c.v.profiles.put(canonical, nil, age)
		return nil
	}
	p = c.compile(d, waiting)
	if c.err == nil {
		c.v.profiles.put(canonical, p, age)
	}
	return p
}

// Forget drops what was made of definitions, for when the Source holds others.
func (v *Validator) Forget() { v.profiles.forget(); v.codes.forget() }

// find asks the Source for a definition of another kind.
func (c *check) find(typ, canonical string) *r4.Doc {
	if c.err != nil || c.v.source == nil {
		return nil
	}
	url, version, _ := canon.Split(canonical)
	d, err := c.v.source.Find(c.ctx, typ, url, version)
	if err != nil {
		c.err = err
		return nil
	}
	return d
}
