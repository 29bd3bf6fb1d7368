package applycheck

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func minorsOf(t testing.TB) (minors []*schemas.Minor, kinds [][]schemas.Kind) {
	t.Helper()
	names, err := schemas.Minors()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		minor, err := schemas.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		all := minor.Kinds()
		slices.SortFunc(all, func(a, b schemas.Kind) int { return cmp.Compare(a.String(), b.String()) })
		minors, kinds = append(minors, minor), append(kinds, all)
	}
	return minors, kinds
}

func compareWithLibraries(t *testing.T, c *check, kind schemas.Kind, fields map[string]any) (faultless, accepted bool) {
	t.Helper()
	before := runtime.DeepCopyJSON(fields)
	fast, accepted := c.sentBy(kind, fields)
	if !reflect.DeepEqual(before, fields) {
		t.Error("the object was changed")
	}
	slow := sentBy(kind.GroupVersionKind, before)
	typ, o := c.minor.Type(kind.Type), &objectFacts{GroupVersionKind: kind.GroupVersionKind}
	content := &kustomize.Content{Fields: before}
	faults := append(checkTyped(o, content, typ, slow), checkFields(o, content, slow.applied, typ, c.minor)...)
	faultless = len(faults) == 0
	if accepted && (!faultless || slow.err != nil) {
		t.Errorf("%s of %s is accepted: %+v: %v, %v", kind.Kind, c.minor.Version, before, faults, slow.err)
	}
	if accepted && !reflect.DeepEqual(slow.applied, fast.applied) {
		t.Errorf("%s of %s is sent in another form: %+v\n%s", kind.Kind, c.minor.Version, before, gocmp.Diff(slow.applied, fast.applied))
	}
	return faultless, accepted
}

func randomBytes(random *rand.Rand, n int) []byte {
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(random.Uint32())
	}
	return bytes
}

func TestAcceptedObjectsAreThoseThatTheLibrariesAccept(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	minors, kinds := minorsOf(t)
	for i, minor := range minors {
		c := &check{Input: Input{Memory: &Memory{}}, minor: minor}
		plain, plainAccepted, oddAccepted := 0, 0, 0
		for _, kind := range kinds[i] {
			for n := range 40 {
				bytes := randomBytes(random, 4000)
				bytes[0] = byte(n) // the first byte determines how often values are odd
				faultless, accepted := compareWithLibraries(t, c, kind, newRandomObject(minor, kind, bytes))
				switch {
				case n%4 == 0 && faultless && accepted:
					plain, plainAccepted = plain+1, plainAccepted+1
				case n%4 == 0 && faultless:
					plain++
				case accepted:
					oddAccepted++
				}
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		if plain < 400 || plainAccepted < plain*95/100 || oddAccepted < 400 {
			t.Errorf("%s: of %d objects without a fault %d are accepted, and of those with odd values %d", minor.Version, plain, plainAccepted, oddAccepted)
		}
	}
}

func examples(t *testing.T, minor *schemas.Minor, do func(kind schemas.Kind, fields map[string]any)) {
	t.Helper()
	paths, err := filepath.Glob("../test/apply/testdata/builtin/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		read := (&kustomize.Cache{}).File(content)
		if read.Err != nil {
			t.Fatal(read.Err)
		}
		err = kustomize.Contents(content, read.Objects, func(content *kustomize.Content) {
			if kind, builtin := minor.Kind(factsOf(content).GroupVersionKind); builtin {
				do(kind, content.Fields)
			}
		})
		if err != nil {
			t.Fatal(path, err)
		}
	}
}

func TestExamplesAreAccepted(t *testing.T) {
	minor, err := schemas.Load("1.36")
	if err != nil {
		t.Fatal(err)
	}
	c := &check{Input: Input{Memory: &Memory{}}, minor: minor}
	all := 0
	examples(t, minor, func(kind schemas.Kind, fields map[string]any) {
		all++
		if _, accepted := compareWithLibraries(t, c, kind, fields); !accepted {
			t.Errorf("%s is not accepted", kind.Kind)
		}
	})
	if all < 70 {
		t.Error(all, "examples")
	}
}

func TestObjectsAtTheLimitsOfWhatIsAccepted(t *testing.T) {
	minor, err := schemas.Load("1.36")
	if err != nil {
		t.Fatal(err)
	}
	c := &check{Input: Input{Memory: &Memory{}}, minor: minor}
	text := func(value any) func(map[string]any) {
		return func(fields map[string]any) { fields["x"] = value }
	}
	variables := func(last string) (list []any) {
		for i := range 30 {
			list = append(list, map[string]any{"name": fmt.Sprint("v", i)})
		}
		return append(list, map[string]any{"name": last})
	}
	for _, test := range []struct {
		name, kind string
		path       []string
		change     func(map[string]any)
		want       bool
	}{
		{"empty", "v1 ConfigMap", nil, func(map[string]any) {}, true},
		{"null", "v1 ConfigMap", nil, func(fields map[string]any) { fields["data"] = nil }, true},
		{"null in a map", "v1 ConfigMap", []string{"data"}, text(nil), false},
		{"time", "v1 ConfigMap", []string{"metadata"}, func(fields map[string]any) { fields["creationTimestamp"] = "2020-01-01T00:00:00Z" }, true},
		{"time of another zone", "v1 ConfigMap", []string{"metadata"}, func(fields map[string]any) { fields["creationTimestamp"] = "2020-01-01T00:00:00+02:00" }, true},
		{"time that is left out", "v1 ConfigMap", []string{"metadata"}, func(fields map[string]any) { fields["creationTimestamp"] = "0001-01-01T00:00:00Z" }, false},
		{"bytes", "v1 Secret", []string{"data"}, text("YWJj"), true},
		{"bytes with a line break", "v1 Secret", []string{"data"}, text("YW\nJj"), true},
		{"bytes in another alphabet", "v1 Secret", []string{"data"}, text("_-__"), false},
		{"quantity", "v1 ResourceQuota", []string{"spec", "hard"}, text("10Gi"), true},
		{"quantity in another form", "v1 ResourceQuota", []string{"spec", "hard"}, text("1000"), true},
		{"quantity as a number", "v1 ResourceQuota", []string{"spec", "hard"}, text(int64(1000)), true},
		{"quantity with spaces", "v1 ResourceQuota", []string{"spec", "hard"}, text(" 10 "), true},
		{"quantity with a line break", "v1 ResourceQuota", []string{"spec", "hard"}, text("10\n"), false},
		{"no quantity", "v1 ResourceQuota", []string{"spec", "hard"}, text("ten"), false},
		{"port", "policy/v1 PodDisruptionBudget", []string{"spec"}, func(fields map[string]any) { fields["minAvailable"] = int64(1) }, true},
		{"large port", "policy/v1 PodDisruptionBudget", []string{"spec"}, func(fields map[string]any) { fields["minAvailable"] = int64(1) << 31 }, false},
		{"port that is no text", "policy/v1 PodDisruptionBudget", []string{"spec"}, func(fields map[string]any) { fields["minAvailable"] = "\xff" }, false},
		{"many items", "v1 ReplicationController", []string{"spec", "template", "spec"}, func(fields map[string]any) {
			fields["containers"] = []any{map[string]any{"name": "c", "env": variables("w")}}
		}, true},
		{"many items, one twice", "v1 ReplicationController", []string{"spec", "template", "spec"}, func(fields map[string]any) {
			fields["containers"] = []any{map[string]any{"name": "c", "env": variables("v7")}}
		}, false},
		{"a default as a key", "v1 Service", []string{"spec"}, func(fields map[string]any) {
			fields["ports"] = []any{map[string]any{"port": int64(1)}, map[string]any{"port": int64(1), "protocol": "TCP"}}
		}, false},
		{"missing field of a struct that is filled in", "autoscaling/v2 HorizontalPodAutoscaler", nil, func(map[string]any) {}, false},
		{"missing field of a status", "apps/v1 StatefulSet", []string{"spec"}, func(fields map[string]any) {
			fields["selector"] = map[string]any{}
			fields["template"] = map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "c"}}}}
			fields["volumeClaimTemplates"] = []any{map[string]any{"status": map[string]any{"modifyVolumeStatus": map[string]any{"status": "pending"}}}}
		}, true},
		{"status", "v1 Namespace", []string{"status"}, text("x"), true},
	} {
		apiVersion, name, _ := strings.Cut(test.kind, " ")
		gv, _ := schema.ParseGroupVersion(apiVersion)
		kind, _ := minor.Kind(gv.WithKind(name))
		fields := map[string]any{"apiVersion": apiVersion, "kind": name, "metadata": map[string]any{"name": "a"}}
		below := fields
		for _, name := range test.path {
			if below[name] == nil {
				below[name] = map[string]any{}
			}
			below, _ = below[name].(map[string]any)
		}
		test.change(below)
		if _, accepted := compareWithLibraries(t, c, kind, fields); accepted != test.want {
			t.Errorf("%s: accepted is %v", test.name, accepted)
		}
	}
}

func TestChangedExamplesAreAcceptedIfTheLibrariesAcceptThem(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	minors, _ := minorsOf(t)
	for _, minor := range minors {
		c := &check{Input: Input{Memory: &Memory{}}, minor: minor}
		all, faultless, accepted := 0, 0, 0
		examples(t, minor, func(kind schemas.Kind, fields map[string]any) {
			for range 100 {
				r := &randomObject{bytes: randomBytes(random, 100)}
				changed := runtime.DeepCopyJSON(fields)
				for range 1 + r.choose(2) {
					r.mutate(changed)
				}
				isFaultless, isAccepted := compareWithLibraries(t, c, kind, changed)
				all++
				if isFaultless {
					faultless++
				}
				if isAccepted {
					accepted++
				}
			}
		})
		t.Log(minor.Version, all, faultless, accepted)
		if accepted < all/10 || accepted < faultless*7/10 {
			t.Errorf("%s: of %d objects %d are without a fault, and %d accepted", minor.Version, all, faultless, accepted)
		}
	}
}

func FuzzAcceptedObjectsAreThoseThatTheLibrariesAccept(f *testing.F) {
	minors, kinds := minorsOf(f)
	memory := &Memory{}
	f.Add(uint8(3), uint16(7), []byte("\x02any bytes"))
	f.Fuzz(func(t *testing.T, ofMinor uint8, ofKind uint16, bytes []byte) {
		i := int(ofMinor) % len(minors)
		kind := kinds[i][int(ofKind)%len(kinds[i])]
		compareWithLibraries(t, &check{Input: Input{Memory: memory}, minor: minors[i]}, kind, newRandomObject(minors[i], kind, bytes))
	})
}
