package scheduler

import (
	"hash/maphash"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// encoder encodes selectors as a list of words. Equal selectors have equal words, and different
// selectors have different words.
type encoder struct {
	seed  maphash.Seed
	words []encodedWord
	// shapes are the sorted label keys of the last encoded selectors. Comparing keys with them is
	// faster than sorting.
	shapes [][]encodedWord
}

type encodedWord struct {
	// hash is a hash of the key, or a count.
	hash       uint64
	key, value string
}

// encode encodes selectors into p.words and returns the hash of these words.
func (p *encoder) encode(dryRun bool, all []kratix.Selector) uint64 {
	p.words = append(p.words[:0], encodedWord{})
	if dryRun {
		p.words[0].hash = 1
	}
	for i := range all {
		s := &all[i]
		p.words = append(p.words, encodedWord{hash: uint64(len(s.MatchLabels))<<32 | uint64(len(s.MatchExpressions)), key: s.Source})
		if !p.bySameShape(i, s.MatchLabels) {
			p.sorted(i, s.MatchLabels)
		}
		for _, e := range s.MatchExpressions {
			p.words = append(p.words, encodedWord{uint64(len(e.Values)), e.Key, string(e.Operator)})
			for _, value := range e.Values {
				p.words = append(p.words, encodedWord{value: value})
			}
		}
	}
	sum := uint64(len(p.words))
	for i := range p.words {
		sum = mix(sum ^ p.words[i].hash)
		if value := p.words[i].value; value != "" {
			sum ^= maphash.String(p.seed, value)
		}
	}
	return sum
}

// bySameShape encodes the labels if they have the same keys as shapes[at], and otherwise returns
// false.
func (p *encoder) bySameShape(at int, labels map[string]string) bool {
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
		p.words = append(p.words, encodedWord{shape.hash, shape.key, value})
	}
	return true
}

func (p *encoder) sorted(at int, labels map[string]string) {
	start := len(p.words)
	for key, value := range labels {
		p.words = append(p.words, encodedWord{maphash.String(p.seed, key), key, value})
		for i := len(p.words) - 1; i > start && p.words[i].key < p.words[i-1].key; i-- {
			p.words[i], p.words[i-1] = p.words[i-1], p.words[i]
		}
	}
	for at >= len(p.shapes) {
		p.shapes = append(p.shapes, nil)
	}
	p.shapes[at] = append(p.shapes[at][:0], p.words[start:]...)
}
