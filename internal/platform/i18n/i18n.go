// Package i18n speaks to the reader in their language: Vietnamese first,
// English second. Each room brings vi.json and en.json with keys that start
// with its name; the language is bound to the request's context, never to
// anything shared.
package i18n

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Lang is a language of the interface.
type Lang string

// The languages.
const (
	VI Lang = "vi"
	EN Lang = "en"
)

// Catalogue holds the sentences of all rooms. It is never changed after Load.
type Catalogue struct{ texts map[Lang]map[string]string }

// Load reads vi.json and en.json ({"room.key": "Xin chào {name}"}) of each
// set. A key that stands twice, in one language only, has no text, or whose
// {holes} differ between the languages is an error.
func Load(sets ...fs.FS) (*Catalogue, error) {
	c := &Catalogue{texts: map[Lang]map[string]string{VI: {}, EN: {}}}
	for _, set := range sets {
		for _, l := range []Lang{VI, EN} {
			b, err := fs.ReadFile(set, string(l)+".json")
			if err != nil {
				return nil, err
			}
			if err := c.read(l, b); err != nil {
				return nil, fmt.Errorf("%s.json: %w", l, err)
			}
		}
	}
	return c, c.check()
}

// read takes one file, token by token: a map would keep the last of two equal keys and say nothing.
func (c *Catalogue) read(l Lang, b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not an object of messages")
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := k.(string) // the decoder lets nothing else stand for a key
		var v string
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("message %s: %w", name, err)
		}
		if _, twice := c.texts[l][name]; twice {
			return fmt.Errorf("message %s stands twice", name)
		}
		if strings.TrimSpace(v) == "" || strings.Count(v, "{") != strings.Count(v, "}") {
			return fmt.Errorf("message %s is empty or has an open hole", name)
		}
		c.texts[l][name] = v
	}
	_, err := d.Token()
	return err
}

func (c *Catalogue) check() error {
	for k, vi := range c.texts[VI] {
		en, ok := c.texts[EN][k]
		if !ok {
			return fmt.Errorf("message %s has no English", k)
		}
		if !slices.Equal(holes(vi), holes(en)) {
			return fmt.Errorf("message %s has other {holes} in English", k)
		}
	}
	for k := range c.texts[EN] {
		if _, ok := c.texts[VI][k]; !ok {
			return fmt.Errorf("message %s has no Vietnamese", k)
		}
	}
	return nil
}

func holes(s string) (list []string) {
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			slices.Sort(list)
			return slices.Compact(list)
		}
		name, tail, _ := strings.Cut(rest, "}")
		list, s = append(list, name), tail
	}
}

type key struct{}

type bound struct {
	c *Catalogue
	l Lang
}

// Bind puts the reader's language and the sentences into a context.
func (c *Catalogue) Bind(ctx context.Context, l Lang) context.Context {
	return context.WithValue(ctx, key{}, bound{c, l})
}

// Of is the language bound to a context; Vietnamese when none is.
func Of(ctx context.Context) Lang {
	if b, ok := ctx.Value(key{}).(bound); ok {
		return b.l
	}
	return VI
}

// T gives a sentence with its holes filled: T(ctx, "book.hello", "name", "Lan").
// A key that is missing shows as itself, so that it is seen.
func T(ctx context.Context, k string, pairs ...string) string {
	b, ok := ctx.Value(key{}).(bound)
	if !ok {
		return k
	}
	s, ok := b.c.texts[b.l][k]
	if !ok {
		return k
	}
	if len(pairs) < 2 {
		return s
	}
	// All at once: a value that looks like a hole stays as it is.
	fill := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		fill = append(fill, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(fill...).Replace(s)
}

// Has says whether the key is known.
func (c *Catalogue) Has(k string) bool { _, ok := c.texts[VI][k]; return ok }

// Pick chooses between two sentences that came with their languages, such as those of an outcome.Error.
func Pick(ctx context.Context, vi, en string) string {
	if Of(ctx) == EN && en != "" {
		return en
	}
	return vi
}
