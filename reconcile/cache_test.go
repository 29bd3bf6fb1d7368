package reconcile

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type written struct {
	report  report.Report
	changes []statestore.ChangeSet
}

func (w *testEnv) preview(r *Reconciler) written {
	w.t.Helper()
	var all written
	r.Policy = w.policy
	r.Finish = Each(func(_ context.Context, part statestore.StoreChanges) statestore.Outcome {
		all.changes = append(all.changes, part.Changes)
		return statestore.Outcome{Revision: part.Changes.Base}
	})
	var err error
	if all.report, err = r.Round(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestCacheChangesNoResult(t *testing.T) {
	placed, held, advanced, carried := 0, 0, 0, 0
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		for seed := range testkit.Seeds(15) {
			rng := rand.New(rand.NewPCG(seed, 5))
			w := newEnv(t)
			w.reconciler.cache.outcomes.mayHold = int(seed % 2) // with the limit 1, contents are dropped
			w.policy = Policy{
				OnConflict: []dedupe.Policy{dedupe.Quarantine, dedupe.Share, dedupe.Report}[rng.IntN(3)], OnMisplaced: scheduler.OnMisplaced(rng.IntN(2)),
				CheckApply: []applycheck.Policy{applycheck.Off, applycheck.Quarantine, applycheck.Warn}[seed%4%3],
			}
			w.addDestination("worker-2", "two")
			w.addDestination("worker-3", "deep/three")
			for _, d := range w.snapshot.Destinations {
				d.Spec.Filepath.Mode = mode
				if rng.IntN(2) == 0 {
					d.Annotations = map[string]string{scheduler.KubernetesVersionAnnotation: "1.36"}
				}
			}
			store := &failingStore{Store: w.store}
			w.store = store
			for step := range 20 {
				if rng.IntN(8) == 0 {
					store.fails = true
					w.preview(w.reconciler)
					store.fails = false
				}
				w.disturb(rng)
				w.changeSurroundings(rng)
				fresh, remembering := w.preview(&Reconciler{Source: w, Stores: w}), w.preview(w.reconciler)
				options := cmp.Options{cmp.AllowUnexported(written{}), cmp.Comparer(func(a, b tree.Path) bool { return a == b })}
				if diff := cmp.Diff(fresh.report, remembering.report, options); diff != "" {
					t.Fatalf("%s seed %d step %d: -fresh +remembering\n%s", mode, seed, step, diff)
				}
				if diff := cmp.Diff(fmt.Sprintf("%+v", fresh.changes), fmt.Sprintf("%+v", remembering.changes)); diff != "" {
					t.Fatalf("%s seed %d step %d: -fresh +remembering\n%s", mode, seed, step, diff)
				}
				if rng.IntN(4) == 0 {
					continue
				}
				for _, state := range states(w.round()) {
					switch state {
					case report.Placed:
						placed++
					case report.HeldBack:
						held++
					}
				}
			}
			advanced += w.reconciler.cache.outcomes.updated
			carried += w.reconciler.cache.outcomes.reused
		}
	}
	if placed < 60 || held < 60 || advanced < 20 || carried < 40 {
		t.Errorf("too little happened: %d placed, %d held back, %d Destinations looked at in part, %d not at all", placed, held, advanced, carried)
	}
}

type failingStore struct {
	statestore.Store
	fails bool
}

func (m *failingStore) Read(ctx context.Context) (statestore.State, error) {
	if m.fails {
		return statestore.State{}, &statestore.Error{Op: "read", Store: "GitStateStore default", Err: statestore.ErrUnavailable}
	}
	return m.Store.Read(ctx)
}

func (w *testEnv) changeSurroundings(rng *rand.Rand) {
	at := rng.IntN(len(w.snapshot.Destinations))
	base := w.snapshot.Destinations[at].Spec.Path
	switch rng.IntN(14) {
	case 0:
		changed := *w.snapshot.Destinations[at]
		changed.Labels = map[string]string{"zone": strconv.Itoa(rng.IntN(2))}
		w.snapshot.Destinations = append([]*kratix.Destination{}, w.snapshot.Destinations...)
		w.snapshot.Destinations[at] = &changed
	case 1:
		w.write(map[string]string{base + "/resources/theirs.yaml": testkit.ConfigMaps(fmt.Sprint("m", rng.IntN(8)))})
	case 2:
		w.write(map[string]string{base + "/.sourceignore": fmt.Sprintf("# %d\n**/f%d.yaml\n", rng.IntN(3), rng.IntN(6))})
	case 3:
		w.write(map[string]string{"deep/.sourceignore": fmt.Sprintf("# %d\n**/f%d.yaml\n", rng.IntN(3), rng.IntN(6))})
	case 4:
		if paths := w.paths(); len(paths) > 0 {
			w.write(map[string]string{paths[rng.IntN(len(paths))]: "damaged: true\n"})
		}
	case 5:
		doubled := testkit.ConfigMaps(fmt.Sprint("m", rng.IntN(8))) + "data: {a: one, a: two}\n"
		w.putFiles(fmt.Sprint("w", rng.IntN(6)), map[string]string{fmt.Sprint("f", rng.IntN(6), ".yaml"): doubled})
	case 6:
		content := testkit.ConfigMaps(fmt.Sprint("m", rng.IntN(8))) + fmt.Sprintf("  namespace: n%d\n%s", rng.IntN(2), []string{"data: {}\n", "dta: {}\n", "immutable: true\n"}[rng.IntN(3)])
		w.putFiles(fmt.Sprint("w", rng.IntN(6)), map[string]string{fmt.Sprint("f", rng.IntN(6), ".yaml"): content})
	case 7:
		content := fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: n%d}\n", rng.IntN(2))
		w.putFiles(fmt.Sprint("w", rng.IntN(6)), map[string]string{fmt.Sprint("f", rng.IntN(6), ".yaml"): content})
	case 8, 9, 10:
		name := w.snapshot.Destinations[at].Name
		profiles := slices.DeleteFunc(slices.Clone(w.snapshot.Profiles), func(p *profile.Profile) bool { return p.Name == name })
		if rng.IntN(4) > 0 {
			changed := newProfile(w.t, name, []string{"n0", "n1", "other"}[rng.IntN(3)])
			changed.KubernetesVersion = []string{"v1.36.3", "v1.36.3", "v1.35.1"}[rng.IntN(3)]
			profiles = append(profiles, changed)
		}
		w.snapshot.Profiles = profiles
	}
}
