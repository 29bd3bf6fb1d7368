package reconcile

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

type sample struct {
	rank int
	name string
}

func compareRanks(a, b sample) int  { return cmp.Compare(a.rank, b.rank) }
func equalSamples(a, b sample) bool { return a == b }

func sorted(parts map[string][]sample) (all []sample) {
	var keys []string
	for key := range parts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		all = append(all, parts[key]...)
	}
	slices.SortStableFunc(all, compareRanks)
	return all
}

func TestSortedListIsSortedAfterEachChangeOfItsParts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's own numbers
	var list sortedList[sample]
	parts := map[string][]sample{}
	for round := range 2000 {
		next := map[string][]sample{}
		for key, part := range parts {
			next[key] = slices.Clone(part)
		}
		for range random.IntN(3) {
			key := fmt.Sprint("part ", random.IntN(5))
			switch part := next[key]; random.IntN(4) {
			case 0:
				delete(next, key)
			case 1:
				next[key] = nil
			default:
				next[key] = slices.Insert(part, random.IntN(len(part)+1), sample{random.IntN(4), strconv.Itoa(round)})
			}
		}
		parts = next
		if got, want := list.merge(parts, compareRanks, equalSamples), sorted(parts); !slices.Equal(got, want) {
			t.Fatalf("round %d: merged %v, want %v", round, got, want)
		}
	}
}

func TestSortedListStaysTheSameSliceWhileItsPartsAreEqual(t *testing.T) {
	var list sortedList[sample]
	parts := func() map[string][]sample { return map[string][]sample{"a": {{2, "x"}, {1, "y"}}, "b": {{1, "z"}}} }
	first := list.merge(parts(), compareRanks, equalSamples)
	if again := list.merge(parts(), compareRanks, equalSamples); &again[0] != &first[0] {
		t.Error("equal parts make a new list")
	}
	before := slices.Clone(first)
	list.merge(map[string][]sample{"a": {{0, "new"}}}, compareRanks, equalSamples)
	if !slices.Equal(first, before) {
		t.Errorf("the list of an earlier round has become %v", first)
	}
}
