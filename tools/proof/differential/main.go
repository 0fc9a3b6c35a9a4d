// Differential runs our FHIRPath beside npm fhirpath with its R4 model, over the
// official examples, the resources of an invented province and mutations of
// both: each search expression of the type, each invariant of its elements and a
// set of general expressions. Each difference must be one of those that explain.go
// tells the reason of, with the sentence of the specification. The other engine
// is fetched by npm into a folder of its own (--oracle); nothing of it is kept here.
//
//	go run ./tools/proof/differential --resources 2000
//	go run ./tools/proof/differential --resources 2000 --validator ../shared/oracles/validator/run
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	n := flag.Int("resources", 2000, "resources to run over, mutations with them")
	seed := flag.Uint64("seed", 1, "another seed is other mutations")
	dir := flag.String("oracle", "", "folder into which npm installs the other engine; a temporary one when not given")
	conformance := flag.String("conformance", "../shared/conformance", "folder of the suites beside the project")
	validator := flag.String("validator", "", "compare validation with this program (../shared/oracles/validator/run) instead of FHIRPath")
	show := flag.Int("show", 3, "examples of each difference to print")
	flag.Parse()
	log.SetOutput(os.Stderr)
	if *validator != "" {
		if err := verdicts(*n, *seed, *validator, *conformance, *show, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(*n, *seed, *dir, *conformance, *show); err != nil {
		log.Fatal(err)
	}
}

func run(n int, seed uint64, dir, conformance string, show int) error {
	corpus, err := gather(n, seed, conformance)
	if err != nil {
		return err
	}
	set := questions(corpus)
	o, err := start(dir, set.theirs)
	if err != nil {
		return err
	}
	defer o.close()
	t := &tally{show: show, reasons: map[string]int{}, examples: map[string][]string{}}
	for _, d := range corpus {
		ask := set.of[d.doc.Type()]
		theirs, err := o.ask(d.body, ask)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		for i, k := range ask {
			t.add(d, set.list[k], answer(set.list[k], d.doc), theirs[i])
		}
	}
	t.write(os.Stdout, len(corpus), len(set.list), o.version)
	if t.unexplained > 0 {
		return fmt.Errorf("%d differences have no reason", t.unexplained)
	}
	return nil
}
