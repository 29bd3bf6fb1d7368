package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type stageKey struct{}

func recordStages(w *testEnv) *[]string {
	var told []string
	w.reconciler.Observe = func(ctx context.Context, stage string) (context.Context, func(error)) {
		told = append(told, "begin "+stage)
		return context.WithValue(ctx, stageKey{}, stage), func(err error) {
			told = append(told, fmt.Sprintf("end %s %v", stage, err))
		}
	}
	return &told
}

func TestStagesAreObservedInOrder(t *testing.T) {
	w := newEnv(t)
	w.put("a", "one")
	told := recordStages(w)
	w.finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
		if inner := ctx.Value(stageKey{}); inner != StageFinish {
			t.Errorf("the last step runs in the context of stage %v", inner)
		}
		return Commit(ctx, parts)
	}
	w.round()
	var want []string
	for _, stage := range Stages() {
		want = append(want, "begin "+stage, "end "+stage+" <nil>")
	}
	if !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
}

func TestStageReceivesItsError(t *testing.T) {
	w := newEnv(t)
	w.put("a", "one")
	told := recordStages(w)
	refuse := errors.New("no")
	w.finish = Each(func(context.Context, statestore.StoreChanges) statestore.Outcome {
		return statestore.Outcome{Err: refuse}
	})
	w.round()
	if last := (*told)[len(*told)-1]; last != "end finish no" {
		t.Errorf("the last that was told is %q", last)
	}

	*told = nil
	w.reconciler.Source = brokenSource{}
	if _, err := w.reconciler.Round(t.Context()); err == nil {
		t.Error("a round without a source came to a report")
	}
	if want := []string{"begin source", "end source gone"}; !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
}

type brokenSource struct{}

func (brokenSource) Snapshot(context.Context) (source.Snapshot, error) {
	return source.Snapshot{}, errors.New("gone")
}

func (brokenSource) Changes(context.Context) (<-chan struct{}, error) { return nil, nil }
