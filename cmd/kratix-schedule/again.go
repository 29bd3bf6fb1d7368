package main

import (
	"path/filepath"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// onceEach drops findings that repeat because a file was read twice.
func onceEach(findings []finding.Finding) []finding.Finding {
	type found struct{ rule, file, object, message string }
	first := map[found]finding.Place{}
	return slices.DeleteFunc(findings, func(f finding.Finding) bool {
		if f.Rule == finding.RepeatedObject() && len(f.Related) > 0 && samePlace(f.Place, f.Related[0].Place) {
			return true
		}
		key := found{f.Rule.ID, absolute(f.Place.File), f.Place.Object, f.Message}
		seen, again := first[key]
		if !again {
			first[key] = f.Place
		}
		return again && seen.Line == f.Place.Line && f.Rule != finding.RepeatedObject()
	})
}

func samePlace(a, b finding.Place) bool { return a.Line == b.Line && sameFile(a.File, b.File) }

func sameFile(a, b string) bool { return absolute(a) == absolute(b) }

func absolute(path string) string {
	whole, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return whole
}
