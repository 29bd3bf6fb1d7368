package reconcile

import (
	"fmt"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/test/growth"
)

func manyWorks(size int) []*kratix.Work {
	works := make([]*kratix.Work, size)
	for i := range works {
		works[i] = testkit.Request(fmt.Sprintf("w%06d", i))
	}
	return works
}

func recordOf(w *kratix.Work, d *kratix.Destination) recordView {
	p := testkit.Placement(w, d.Name)
	path, _ := layout.RecordPath(d, p)
	return recordView{Record: &layout.Record{Placement: p, Files: []tree.Path{path}}, path: path}
}

func lookUpRecords(size int) func() {
	d := testkit.Destination("worker-1")
	w := &wanted{situation: situation{destinationView: &destinationView{Destination: d}}}
	var placements []*placement
	for _, one := range manyWorks(size) {
		record := recordOf(one, d)
		w.records = append(w.records, record)
		placements = append(placements, &placement{WorkPlacement: record.Placement, record: tree.File{Path: record.path}})
	}
	return func() {
		w.indexRecords()
		h := holdings{wanted: w}
		for _, p := range placements {
			h.recordedFiles(p)
			h.sharedBy(p)
			h.has(p)
		}
	}
}

func openStores(size int) func() {
	var snapshot source.Snapshot
	for i := range size {
		name := fmt.Sprintf("s%06d", i)
		store, secret := testkit.GitStore(name, "memory"), &kratix.Secret{}
		secret.Name, secret.Namespace = name, "default"
		store.Spec.SecretRef = &kratix.SecretReference{Name: name, Namespace: "default"}
		snapshot.Secrets = append(snapshot.Secrets, secret)
		snapshot.GitStateStores = append(snapshot.GitStateStores, store)
		snapshot.Destinations = append(snapshot.Destinations, testkit.Destination(name, testkit.OnStore(name)))
	}
	return func() {
		w := &observed{Snapshot: snapshot, lookup: newLookup(snapshot)}
		for _, d := range snapshot.Destinations {
			addDestination(w, d, &testEnv{})
		}
	}
}

func addManyExisting(size int) func() {
	d := testkit.Destination("worker-1")
	view := &destinationView{Destination: d}
	w := &observed{stores: []*storeView{{destinations: []*destinationView{view}}}}
	for _, work := range manyWorks(size) {
		w.Existing = append(w.Existing, recordOf(work, d).Placement)
	}
	return func() { addExisting(w) }
}

func restoreRecords(size int) func() {
	d := testkit.Destination("worker-1", testkit.InMode(kratix.None))
	view := &destinationView{Destination: d}
	w := &observed{stores: []*storeView{{destinations: []*destinationView{view}}}}
	w.Works = manyWorks(size)
	for _, work := range w.Works {
		view.invalidRecords = append(view.invalidRecords, recordOf(work, d).path)
	}
	return func() { restoreDamaged(w) }
}

func addManyDecisions(size int) func() {
	w := &observed{}
	w.Works = manyWorks(size)
	for i, work := range w.Works {
		d := testkit.Destination(fmt.Sprintf("worker-%06d", i))
		w.Destinations = append(w.Destinations, d)
		work.Annotations = map[string]string{kratix.DecisionsAnnotation: work.Decide(map[string]kratix.Decision{
			work.Spec.WorkloadGroups[0].ID: {Destination: d.Name},
		})}
	}
	return func() { addDecisions(w) }
}

func moveAll(size int) func() {
	from, to := testkit.Destination("from"), testkit.Destination("to")
	var plan scheduler.Result
	var decided []*kratix.WorkPlacement
	for _, work := range manyWorks(size) {
		plan.Moved = append(plan.Moved, scheduler.Moved{WorkPlacement: recordOf(work, from).Placement, To: to.Name})
		decided = append(decided, recordOf(work, to).Placement)
	}
	return func() { byDestination(&plan, decided) }
}

func compareUnits(size int) func() {
	var written, current []suspect
	for _, work := range manyWorks(size) {
		one := suspect{unit: unitOf(testkit.Placement(work, "worker-1"))}
		other := one
		other.digest[0] = 1
		written, current = append(written, one), append(current, other)
	}
	return func() { containsAny(current, written) }
}

func stages() map[string]func(size int) (work func()) {
	return map[string]func(size int) (work func()){
		"records looked up":             lookUpRecords,
		"stores opened":                 openStores,
		"WorkPlacements without record": addManyExisting,
		"damaged records":               restoreRecords,
		"decisions":                     addManyDecisions,
		"moves":                         moveAll,
		"units of a write":              compareUnits,
	}
}

func TestRoundsOverManyAreLinear(t *testing.T) {
	for name, prepare := range stages() {
		t.Run(name, func(t *testing.T) { growth.Linear(t, prepare) })
	}
}

func BenchmarkRoundsOverMany(b *testing.B) {
	for name, prepare := range stages() {
		b.Run(name, func(b *testing.B) { growth.Benchmark(b, prepare) })
	}
}

func BenchmarkDeletions(b *testing.B) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		b.Run(mode, func(b *testing.B) {
			growth.Benchmark(b, func(size int) func() {
				w := newEnv(b)
				w.policy.Allow = AllowAll()
				w.snapshot.Destinations[0].Spec.Filepath.Mode = mode
				for i := range size {
					name := fmt.Sprintf("w%06d", i)
					w.snapshot.Works = append(w.snapshot.Works, testkit.Request(name, testkit.WithConfigMaps(name)))
				}
				w.round()
				w.snapshot.Works = w.snapshot.Works[:size/10]
				return func() { w.round() }
			})
		})
	}
}
