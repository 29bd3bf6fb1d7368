package kube_test

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

func TestContentsOfWorkAndWorkPlacementAreHeldOnce(t *testing.T) {
	content := strings.Repeat("x", 300) // longer than the strings that are interned
	long := func(text string) string { return strings.ReplaceAll(text, `"content":"x"`, `"content":"`+content+`"`) }
	group := func(text string) string {
		return strings.Replace(text, `"targetDestinationName"`, `"id":"5058f1af8388633f609cadb75a75dc9d","targetDestinationName"`, 1)
	}
	for name, put := range map[string]func(*api, *kube.Source){
		"at the start": nil,
		"the Work first": func(a *api, s *kube.Source) {
			a.put("works", long(workJSON("a", "")))
			waitForContent(t, s, "Work default/a")
			a.put("workplacements", long(group(placementJSON("a", "", ""))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			if put == nil {
				a.put("works", long(workJSON("a", "")))
				a.put("workplacements", long(group(placementJSON("a", "", ""))))
			}
			s, err := kube.New(a.config(), kube.Options{Contents: true})
			if err != nil {
				t.Fatal(err)
			}
			s.Follow(t.Context())
			if put != nil {
				put(a, s)
			}
			waitForContent(t, s, "Work default/a", "existing WorkPlacement default/a")
			got := snapshot(t, s)
			of, its := got.Works[0].Spec.WorkloadGroups[0].Workloads[0].Content, got.WorkPlacements[0].Spec.Workloads[0].Content
			if of != content || its != content || unsafe.StringData(of) != unsafe.StringData(its) {
				t.Errorf("%d and %d bytes, which are not held once", len(of), len(its))
			}
			a.put("workplacements", strings.ReplaceAll(strings.ReplaceAll(long(group(placementJSON("a", "", ""))), "xxx", "xyz"), `"generation":1`, `"generation":2`))
			eventually(t, func() string {
				if got := snapshot(t, s); !strings.HasPrefix(got.WorkPlacements[0].Spec.Workloads[0].Content, "xyz") {
					return "the change is not seen"
				}
				return ""
			})
			if got := snapshot(t, s).Works[0].Spec.WorkloadGroups[0].Workloads[0].Content; got != content {
				t.Error("the Work has changed with its WorkPlacement")
			}
		})
	}
}
