package r4

import (
	"strings"
	"sync"
)

// Codes are the codes of a value set that a base type binds as required.
type Codes struct {
	text string // groups parted by tabs: system and codes, parted by "|"
	once sync.Once
	set  map[string]string // code to the system it stands in first
	more map[[2]string]bool
}

// CodesOf gives the codes of a value set; nil when R4 core doesn't hold them
// (UCUM, media types, currencies), or no base type binds it as required.
func CodesOf(valueSet string) *Codes {
	if valueSet == "" {
		return nil
	}
	return official().codes[valueSet]
}

func (c *Codes) read() {
	c.once.Do(func() {
		c.set = map[string]string{}
		for group := range strings.SplitSeq(c.text, "\t") {
			system, codes, _ := strings.Cut(group, "|")
			for code := range strings.SplitSeq(codes, "|") {
				if _, ok := c.set[code]; !ok {
					c.set[code] = system
					continue
				}
				if c.more == nil {
					c.more = map[[2]string]bool{}
				}
				c.more[[2]string{system, code}] = true
			}
		}
	})
}

// Has says whether a code is in the set.
func (c *Codes) Has(code []byte) bool {
	c.read()
	_, ok := c.set[string(code)]
	return ok
}

// HasIn says whether a code of a system is in the set.
func (c *Codes) HasIn(system, code []byte) bool {
	c.read()
	in, ok := c.set[string(code)]
	return ok && (in == string(system) || c.more[[2]string{string(system), string(code)}])
}

// List gives the codes, in no order.
func (c *Codes) List() []string {
	c.read()
	out := make([]string, 0, len(c.set))
	for code := range c.set {
		out = append(out, code)
	}
	return out
}
