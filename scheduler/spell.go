package scheduler

import (
	"hash/maphash"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// speller writes selectors out as words, so that equal ones give equal words
// and different ones give different words, whatever the order of their labels.
type speller struct {
	seed  maphash.Seed
	words []word
	// shapes are the labels of the last selectors, by their place in the list.
	// Most have the same, and looking these up is faster than going through a
	// map and sorting.
	shapes [][]word
}

// word is a part of selectors that are spelt out.
type word struct {
	// sum is that of the key.
	sum        uint64
	key, value string
}

// spell writes selectors into p.words and returns a sum of them. A word that says
// how many follow goes before each part.
func (p *speller) spell(dryRun bool, all []kratix.Selector) uint64 {
	p.words = append(p.words[:0], word{})
	if dryRun {
		p.words[0].sum = 1
	}
	for i := range all {
		s := &all[i]
		p.words = append(p.words, word{sum: uint64(len(s.MatchLabels))<<32 | uint64(len(s.MatchExpressions)), key: s.Source})
		if !p.bySameShape(i, s.MatchLabels) {
			p.sorted(i, s.MatchLabels)
		}
		for _, e := range s.MatchExpressions {
			p.words = append(p.words, word{uint64(len(e.Values)), e.Key, string(e.Operator)})
			for _, value := range e.Values {
				p.words = append(p.words, word{value: value})
			}
		}
	}
	sum := uint64(len(p.words))
	for i := range p.words {
		sum = mix(sum ^ p.words[i].sum)
		if value := p.words[i].value; value != "" {
			sum ^= maphash.String(p.seed, value)
		}
	}
	return sum
}

// bySameShape writes labels whose keys are those of the last ones in their
// place; it writes nothing if they are not.
func (p *speller) bySameShape(at int, labels map[string]string) bool {
	if at >= len(p.shapes) || len(p.shapes[at]) != len(labels) {
		return false
	}
	start := len(p.words)
	for _, shape := range p.shapes[at] {
		value, has := labels[shape.key]
		if !has {
			p.words = p.words[:start]
			return false
		}
		p.words = append(p.words, word{shape.sum, shape.key, value})
	}
	return true
}

// sorted writes labels by key, and remembers the keys.
func (p *speller) sorted(at int, labels map[string]string) {
	start := len(p.words)
	for key, value := range labels {
		p.words = append(p.words, word{maphash.String(p.seed, key), key, value})
		for i := len(p.words) - 1; i > start && p.words[i].key < p.words[i-1].key; i-- {
			p.words[i], p.words[i-1] = p.words[i-1], p.words[i]
		}
	}
	for at >= len(p.shapes) {
		p.shapes = append(p.shapes, nil)
	}
	p.shapes[at] = append(p.shapes[at][:0], p.words[start:]...)
}
