package kratix

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func readWork(t *testing.T, name, zone string) *Work {
	t.Helper()
	read, err := Parse(fmt.Appendf(nil, `apiVersion: platform.kratix.io/v1alpha1
kind: Work
metadata:
  name: work-%[1]s
  namespace: team
  finalizers: [kratix.io/work-cleanup]
  ownerReferences: [{apiVersion: v1, kind: Owner, name: o, uid: u}]
  annotations: {a: %[1]q, same: x}
  labels: {kratix.io/promise-name: redis, kratix.io/resource-name: %[1]s, kratix.io/work-type: resource}
spec:
  promiseName: redis
  resourceName: %[1]s
  workloadGroups:
  - directory: .
    id: %[3]s
    destinationSelectors:
    - matchLabels: {zone: %[2]s}
      matchExpressions: [{key: tier, operator: In, values: [a, b]}]
      source: promise
    workloads:
    - {filepath: redis.yaml, content: %[1]s}
    - {filepath: service.yaml, content: %[1]s}
    - {filepath: secret.yaml, content: %[1]s}
status:
  conditions: [{type: Ready, status: "True", reason: All, message: "well", lastTransitionTime: null}]
`, name, zone, GroupID(".")), 1)
	if err != nil || len(read) != 1 || read[0].Err != nil || len(read[0].Unknown) > 0 {
		t.Fatalf("%v, %+v", err, read)
	}
	work, _ := read[0].Object.(*Work)
	return work
}

func isOne(a, b string) bool { return a == b && unsafe.StringData(a) == unsafe.StringData(b) }

func isOneMap(a, b map[string]string) bool {
	return reflect.ValueOf(a).UnsafePointer() == reflect.ValueOf(b).UnsafePointer()
}

func TestStringsOfWorksAreInterned(t *testing.T) {
	var words Interner
	share := func(name, zone string) *Work {
		work := readWork(t, name, zone)
		before := work.DeepCopy()
		words.ShareWork(work)
		if diff := cmp.Diff(before, work); diff != "" {
			t.Errorf("it says something else: -before +after\n%s", diff)
		}
		return work
	}
	a, b, other := share("a", "one"), share("b", "one"), share("c", "two")
	groupA, groupB, groupOther := a.Spec.WorkloadGroups[0], b.Spec.WorkloadGroups[0], other.Spec.WorkloadGroups[0]
	for what, one := range map[string]bool{
		"kind":       isOne(a.Kind, other.Kind) && isOne(a.APIVersion, other.APIVersion),
		"namespace":  isOne(a.Namespace, other.Namespace),
		"finalizer":  isOne(a.Finalizers[0], other.Finalizers[0]),
		"owner":      isOne(a.OwnerReferences[0].Kind, other.OwnerReferences[0].Kind),
		"annotation": isOne(a.Annotations["same"], other.Annotations["same"]),
		"promise":    isOne(a.Spec.PromiseName, other.Spec.PromiseName),
		"group":      isOne(groupA.ID, groupOther.ID) && isOne(groupA.Directory, groupOther.Directory),
		"file":       isOne(groupA.Workloads[0].Filepath, groupOther.Workloads[0].Filepath),
		"condition":  isOne(a.Status.Conditions[0].Message, other.Status.Conditions[0].Message),
		"value":      isOne(groupA.DestinationSelectors[0].Source, groupOther.DestinationSelectors[0].Source),
		"label":      isOne(a.Labels["kratix.io/work-type"], other.Labels["kratix.io/work-type"]),
		"selectors":  &groupA.DestinationSelectors[0] == &groupB.DestinationSelectors[0],
	} {
		if !one {
			t.Errorf("%s: there are two in memory", what)
		}
	}
	if &groupA.DestinationSelectors[0] == &groupOther.DestinationSelectors[0] || isOneMap(a.Annotations, b.Annotations) {
		t.Error("what is not the same is shared")
	}
	if spare := cap(groupA.Workloads) - len(groupA.Workloads); spare != 0 {
		t.Errorf("there is room for %d more files", spare)
	}
}

func TestDifferentSelectorsAreNotMerged(t *testing.T) {
	var words Interner
	long := map[string]string{}
	for i := range 200 {
		long[strconv.Itoa(i)] = "v"
	}
	for _, asked := range [][]Selector{
		nil, {}, {{}}, {{}, {}}, {{MatchLabels: map[string]string{}}}, {{MatchLabels: map[string]string{"a": "b"}}},
		{{MatchLabels: map[string]string{"a": "b"}, Source: PromiseSource}}, {{MatchLabels: map[string]string{"a": `b", "c":"d`}}},
		{{MatchLabels: map[string]string{"a": "b", "c": "d"}}}, {{MatchLabels: map[string]string{"a": "b"}}, {MatchLabels: map[string]string{"c": "d"}}},
		{{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "In", Values: []string{"b", "c"}}}}},
		{{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "In", Values: []string{"b, c"}}}}},
		{{MatchLabels: long}},
	} {
		for range 2 {
			if got := words.selectorsOf(asked); !reflect.DeepEqual(asked, got) {
				t.Errorf("%#v became %#v", asked, got)
			}
		}
	}
	if len(words.selectors.now) != 12 { // an empty list and a nil list count as two lists, and the long list is not cached
		t.Errorf("%d lists are remembered", len(words.selectors.now))
	}
}

func TestUnusedStringsAreDropped(t *testing.T) {
	var words Interner
	common := words.One("common")
	for i := range 10 * minInterned {
		words.One("rare " + strconv.Itoa(i))
		if i%100 == 0 && !isOne(common, words.One(strings.Clone(common))) {
			t.Fatalf("what is always said was forgotten after %d words", i)
		}
	}
	if held := len(words.strings.now) + len(words.strings.before); held > 2*minInterned {
		t.Errorf("%d words are remembered", held)
	}
	if _, known := words.strings.before["rare 0"]; known || words.strings.now["rare 0"] != "" {
		t.Error("the first word is still remembered")
	}
	long := strings.Repeat("x", maxInternedString+1)
	words.One(long)
	if words.strings.now[long] != "" {
		t.Error("a long word is remembered")
	}
}

func TestStringsOfWorkPlacementsAreInterned(t *testing.T) {
	var words Interner
	share := func(name string) *WorkPlacement {
		work := readWork(t, name, "one")
		p := NewWorkPlacement(work, &work.Spec.WorkloadGroups[0], strings.Clone("worker"))
		p.Status.VersionID = strings.Clone("c0ffee")
		before := p.DeepCopy()
		words.ShareWorkPlacement(p)
		if diff := cmp.Diff(before, p); diff != "" {
			t.Errorf("it says something else: -before +after\n%s", diff)
		}
		return p
	}
	a, b := share("a"), share("b")
	if !isOne(a.Spec.TargetDestinationName, b.Labels[TargetDestinationLabel]) || !isOne(a.Spec.PromiseName, b.Spec.PromiseName) ||
		!isOne(a.Spec.ID, b.Labels[WorkloadGroupIDLabel]) || !isOne(a.Namespace, b.Namespace) || !isOne(a.Status.VersionID, b.Status.VersionID) {
		t.Error("what they say is twice in memory")
	}
}
