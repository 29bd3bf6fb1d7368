package main

import (
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

func TestExistingObjectIsNotCreatedAgain(t *testing.T) {
	change := func(name string, verbs ...status.Verb) status.Change {
		p := &kratix.WorkPlacement{}
		p.Name = name
		made := status.Change{Object: p}
		for _, verb := range verbs {
			made.Steps = append(made.Steps, status.Step{Verb: verb})
		}
		return made
	}
	lists := [][]status.Change{
		{change("there", status.Create, status.PatchStatus), change("new", status.Create), change("there", status.Patch)},
		{change("there")},
	}
	got := withoutExpected(lists, func(key kratix.Key) bool { return key.Name == "there" })
	if len(got) != 2 || len(got[0]) != 2 || got[0][0].Steps[0].Verb != status.Create || got[0][0].Object.GetName() != "new" || len(got[1]) != 1 {
		t.Errorf("left are %+v", got)
	}
}

func TestTheSoonerOfTwoWaits(t *testing.T) {
	for _, test := range []struct{ a, b, want time.Duration }{{0, 0, 0}, {0, 2, 2}, {2, 0, 2}, {2, 1, 1}, {1, 2, 1}} {
		if got := sooner(test.a, test.b); got != test.want {
			t.Errorf("sooner(%d, %d) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
