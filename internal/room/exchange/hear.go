package exchange

import (
	"context"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/store"
)

// definitionTypes are those of which something is known beside the store.
var definitionTypes = []string{"SearchParameter", "StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "Questionnaire", "NamingSystem"}

// ear is where this process stands in the outbox.
type ear struct {
	open         bool
	commits, seq int64
}

// hear follows the outbox for definitions that other processes on the same
// database wrote, since what this one knows of them is in its memory. It
// begins where the outbox ends.
func (s *Service) hear(ctx context.Context, at *ear) error {
	if !s.Shared {
		return nil
	}
	if !at.open {
		var err error
		at.commits, at.seq, err = s.Outbox.Head(ctx)
		at.open = err == nil
		return err
	}
	for {
		list, err := s.Outbox.After(ctx, at.commits, at.seq, feedBatch)
		if err != nil || len(list) == 0 {
			return err
		}
		var keys []store.Key
		for _, h := range list {
			if typ, id, ok := strings.Cut(h.Key, "/"); ok && h.Topic == "resource" && slices.Contains(definitionTypes, typ) {
				keys = append(keys, store.Key{Type: typ, ID: id})
			}
		}
		if len(keys) > 0 {
			s.changed(keys)
		}
		end := list[len(list)-1]
		at.commits, at.seq = end.Commits, end.Seq
	}
}
