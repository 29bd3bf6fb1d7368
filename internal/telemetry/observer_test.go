package telemetry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// fixture has a clock that advances by a second each time it is read.
type fixture struct {
	t        *testing.T
	registry *prometheus.Registry
	metrics  *Metrics
	observer *Observer
	spans    *tracetest.SpanRecorder
	stores   map[string]*fakeStore
	opened   error
}

func newFixture(t *testing.T) *fixture {
	s := &fixture{t: t, registry: prometheus.NewRegistry(), spans: tracetest.NewSpanRecorder(), stores: map[string]*fakeStore{}}
	s.metrics = NewMetrics(s.registry, "v1")
	now := time.Unix(1000, 0)
	clock := func() time.Time { now = now.Add(time.Second); return now }
	s.observer = NewObserver(s.metrics, sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(s.spans)), clock)
	return s
}

func ref(name string) kratix.StateStoreReference {
	return kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: name}
}

func (s *fixture) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	if s.opened != nil {
		return nil, s.opened
	}
	store, there := s.stores[ref.Name]
	if !there {
		store = &fakeStore{Store: memory.New(ref.String())}
		s.stores[ref.Name] = store
	}
	return store, nil
}

func (s *fixture) open(name string) statestore.Store {
	s.t.Helper()
	store, err := s.observer.Stores(s).Open(ref(name), nil, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return store
}

type fakeStore struct {
	statestore.Store
	err error
}

func (f *fakeStore) Read(ctx context.Context) (statestore.State, error) {
	if f.err != nil {
		return statestore.State{}, f.err
	}
	return f.Store.Read(ctx)
}

func (f *fakeStore) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if f.err != nil {
		return "", f.err
	}
	return f.Store.Apply(ctx, changes)
}

func changesOfTwoPlacements(base statestore.Revision) statestore.ChangeSet {
	return statestore.ChangeSet{Base: base, Placements: []statestore.PlacementChange{
		{Action: statestore.Place, Work: "default/a", Destination: "d"}, {Action: statestore.Place, Work: "default/b", Destination: "d"},
	}, Write: testkit.Files(map[string]string{"a": "one", "b": "four"})}
}

func (s *fixture) checkMetrics(lines string, names ...string) {
	s.t.Helper()
	var full []string
	for _, name := range names {
		full = append(full, namespace+"_"+name)
	}
	problem := testutil.GatherAndCompare(s.registry, strings.NewReader(s.withHelp(lines, full)), full...)
	if problem != nil {
		s.t.Error(problem)
	}
}

// withHelp returns lines of samples in the text format of Prometheus.
func (s *fixture) withHelp(lines string, names []string) string {
	var text strings.Builder
	for _, d := range s.metrics.Definitions() {
		for _, name := range names {
			if d.Name == name {
				fmt.Fprintf(&text, "# HELP %s %s\n# TYPE %s %s\n", d.Name, d.Help, d.Name, d.Type)
			}
		}
		for line := range strings.Lines(lines) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, strings.TrimPrefix(d.Name, namespace+"_")+"{") {
				text.WriteString(namespace + "_" + line + "\n")
			}
		}
	}
	return text.String()
}

func TestStoreThatFailsIsCountedByKindUntilItWorksAgain(t *testing.T) {
	failed := func(err error) error { return &statestore.Error{Op: "write", Store: "GitStateStore x", Err: err} }
	s := newFixture(t)
	store := s.open("x")
	s.checkMetrics(`
		store_errors_total{kind="denied",store="GitStateStore x"} 0
		store_errors_total{kind="misconfigured",store="GitStateStore x"} 0
		store_errors_total{kind="other",store="GitStateStore x"} 0
		store_errors_total{kind="stale",store="GitStateStore x"} 0
		store_errors_total{kind="unavailable",store="GitStateStore x"} 0
		store_retries_total{store="GitStateStore x"} 0`, "store_errors_total", "store_retries_total")

	for _, err := range []error{
		statestore.ErrDenied, statestore.ErrUnavailable, fmt.Errorf("%w: no route", statestore.ErrUnavailable),
		statestore.ErrMisconfigured, errors.New("what is this"), statestore.ErrStale,
	} {
		s.stores["x"].err = failed(err)
		if _, got := store.Apply(t.Context(), changesOfTwoPlacements("")); !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
		up := "0"
		if errors.Is(err, statestore.ErrStale) {
			up = "1"
		}
		s.checkMetrics(`store_up{store="GitStateStore x"} `+up+"\n"+`queue_depth{store="GitStateStore x"} 2`, "store_up", "queue_depth")
	}
	s.stores["x"].err = nil
	state, err := store.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Apply(t.Context(), changesOfTwoPlacements(state.Revision)); err != nil {
		t.Fatal(err)
	}
	s.checkMetrics(`
		queue_depth{store="GitStateStore x"} 0
		store_errors_total{kind="denied",store="GitStateStore x"} 1
		store_errors_total{kind="misconfigured",store="GitStateStore x"} 1
		store_errors_total{kind="other",store="GitStateStore x"} 1
		store_errors_total{kind="stale",store="GitStateStore x"} 1
		store_errors_total{kind="unavailable",store="GitStateStore x"} 2
		store_retries_total{store="GitStateStore x"} 6
		store_up{store="GitStateStore x"} 1`, "queue_depth", "store_errors_total", "store_retries_total", "store_up")

	_, text := get(t, (&Server{}).Handler(s.registry, Admin{Level: zap.NewAtomicLevel()}), "/metrics")
	for _, want := range []string{
		`write_files_sum{store="GitStateStore x"} 2`, `write_files_count{store="GitStateStore x"} 1`, `write_bytes_sum{store="GitStateStore x"} 7`,
		`store_operation_duration_seconds_sum{operation="read",store="GitStateStore x"} 1`,
		`store_operation_duration_seconds_count{operation="write",store="GitStateStore x"} 7`,
	} {
		if !strings.Contains(text, namespace+"_"+want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
}

func TestEmptyChangeSetWritesNothing(t *testing.T) {
	s := newFixture(t)
	store := s.open("x")
	s.stores["x"].err = statestore.ErrUnavailable
	_, _ = store.Apply(t.Context(), changesOfTwoPlacements(""))
	s.stores["x"].err = nil
	if _, err := store.Apply(t.Context(), statestore.ChangeSet{}); err != nil {
		t.Fatal(err)
	}
	s.checkMetrics(`queue_depth{store="GitStateStore x"} 0`, "queue_depth", "write_files")
	if spans := s.spans.Ended(); len(spans) != 1 {
		t.Errorf("%d spans", len(spans))
	}
}

func TestWriteInProgressHasNotFailed(t *testing.T) {
	s := newFixture(t)
	store := s.open("x")
	s.stores["x"].err = statestore.ErrPending
	if _, err := store.Apply(t.Context(), changesOfTwoPlacements("")); !errors.Is(err, statestore.ErrPending) {
		t.Errorf("got %v", err)
	}
	s.checkMetrics(`queue_depth{store="GitStateStore x"} 2`, "queue_depth", "store_up", "store_operation_duration_seconds")
}

// jointLocation is a location that counts combined writes.
type jointLocation struct{ together *int }

func (jointLocation) Read(ctx context.Context, view statestore.View) (statestore.State, error) {
	return view.Store.Read(ctx)
}

func (j jointLocation) Write(ctx context.Context, parts []statestore.ViewChanges) []statestore.Outcome {
	*j.together++
	return statestore.WriteEach(ctx, parts)
}

// fakeOpener is an Opener that returns existing stores by name.
type fakeOpener map[string]statestore.Store

func (o fakeOpener) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	return o[ref.Name], nil
}

func TestObservedStoresAreWrittenConcurrently(t *testing.T) {
	s := newFixture(t)
	together := 0
	within := func(name string, store statestore.Store) statestore.View {
		return statestore.View{Name: ref(name).String(), Store: store, Location: jointLocation{&together}}
	}
	stores := s.observer.Stores(fakeOpener{
		"x": within("x", &fakeStore{Store: memory.New("x")}),
		"y": within("y", &fakeStore{Store: memory.New("y"), err: statestore.ErrUnavailable}),
		"z": memory.New("z"),
	})
	open := func(name string) statestore.View {
		store, err := stores.Open(ref(name), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return statestore.ViewOf("", store)
	}
	if open("x").Location != open("y").Location || open("x").Location == open("z").Location {
		t.Fatal("wrong ones join")
	}
	outcomes := open("x").Location.Write(t.Context(), []statestore.ViewChanges{{View: open("x"), Changes: changesOfTwoPlacements("")}, {View: open("y"), Changes: changesOfTwoPlacements("")}})
	if outcomes[0].Err != nil || !errors.Is(outcomes[1].Err, statestore.ErrUnavailable) || together != 1 {
		t.Errorf("%v, together %d times", outcomes, together)
	}
	s.checkMetrics(`queue_depth{store="GitStateStore x"} 0`+"\n"+`queue_depth{store="GitStateStore y"} 2`+"\n"+`queue_depth{store="GitStateStore z"} 0`, "queue_depth")
	s.checkMetrics(`store_up{store="GitStateStore x"} 1`+"\n"+`store_up{store="GitStateStore y"} 0`, "store_up")
	if spans := s.spans.Ended(); len(spans) != 2 {
		t.Errorf("%d spans", len(spans))
	}
}

func TestStoreThatCannotBeOpenedIsDown(t *testing.T) {
	s := newFixture(t)
	s.opened = fmt.Errorf("%w: no such branch", statestore.ErrMisconfigured)
	if _, err := s.observer.Stores(s).Open(ref("x"), nil, nil); !errors.Is(err, statestore.ErrMisconfigured) {
		t.Errorf("got %v", err)
	}
	s.checkMetrics(`store_up{store="GitStateStore x"} 0`, "store_up")
}

func TestSameStoreIsObservedAsTheSame(t *testing.T) {
	s := newFixture(t)
	if s.open("x") != s.open("x") || s.open("x") == s.open("y") {
		t.Error("stores are mixed up")
	}
}

func TestStoreOfAnotherShardIsNotSelected(t *testing.T) {
	s := newFixture(t)
	for _, name := range []string{"ours", "theirs"} {
		s.open(name)
	}
	stores := []report.Store{{Name: ref("ours").String()}, {Name: ref("theirs").String(), Unselected: true}}
	for _, selected := range []string{"0", "1"} {
		stores[1].Unselected = selected == "0"
		s.metrics.Round(report.Report{Stores: stores}, nil, time.Unix(1, 0), 0)
		s.checkMetrics(`store_selected{store="GitStateStore ours"} 1`+"\n"+`store_selected{store="GitStateStore theirs"} `+selected, "store_selected")
	}
}

func TestSeriesOfAnUnusedStoreAreRemoved(t *testing.T) {
	s := newFixture(t)
	round := func(r report.Report, names ...string) {
		_, done := s.observer.Round(t.Context())
		for _, name := range names {
			if _, err := s.open(name).Read(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		done(r, nil)
	}
	round(report.Report{}, "x", "y")
	s.checkMetrics(`store_up{store="GitStateStore x"} 1
		store_up{store="GitStateStore y"} 1`, "store_up")
	round(report.Report{Stores: []report.Store{{Name: "GitStateStore x"}}})
	s.checkMetrics(`store_up{store="GitStateStore x"} 1`, "store_up")
	round(report.Report{}, "y")
	s.checkMetrics(`store_up{store="GitStateStore y"} 1
		store_retries_total{store="GitStateStore y"} 0`, "store_up", "store_retries_total")
}

func TestRoundIsTraced(t *testing.T) {
	s := newFixture(t)
	ctx, roundDone := s.observer.Round(t.Context())
	inner, stageDone := s.observer.Stage(ctx, "observe")
	store := s.open("x")
	state, err := store.Read(inner)
	stageDone(err)
	inner, stageDone = s.observer.Stage(ctx, "finish")
	if _, err := store.Apply(inner, changesOfTwoPlacements(state.Revision)); err != nil {
		t.Fatal(err)
	}
	s.stores["x"].err = statestore.ErrDenied
	_, err = store.Apply(inner, changesOfTwoPlacements(state.Revision))
	stageDone(err)
	roundDone(report.Report{Placements: []report.Placement{{}, {}}}, nil)

	byID := map[string]string{}
	for _, span := range s.spans.Ended() {
		byID[span.SpanContext().SpanID().String()] = span.Name()
	}
	var got []string
	for _, span := range s.spans.Ended() {
		line := span.Name()
		if parent := byID[span.Parent().SpanID().String()]; parent != "" {
			line = parent + "/" + line
		}
		if span.Status().Code == codes.Error {
			line += fmt.Sprintf(" failed with %d event: %s", len(span.Events()), span.Status().Description)
		}
		got = append(got, line)
	}
	want := []string{
		"observe/read", "round/observe", "finish/write", "finish/write failed with 1 event: the store refused",
		"round/finish failed with 1 event: the store refused", "round",
	}
	if !slices.Equal(got, want) {
		t.Errorf("spans %q, want %q", got, want)
	}
	write := s.spans.Ended()[2]
	for _, wanted := range []attribute.KeyValue{
		attributeStore.String("GitStateStore x"), attributeWritten.Int(2), attributeRemoved.Int(0), attributeBytes.Int(7), attributePlacements.Int(2),
	} {
		if !slices.Contains(write.Attributes(), wanted) {
			t.Errorf("the write has no %v: %v", wanted, write.Attributes())
		}
	}
	if !slices.Contains(s.spans.Ended()[5].Attributes(), attributePlacements.Int(2)) {
		t.Errorf("the round has %v", s.spans.Ended()[5].Attributes())
	}
	_, text := get(t, (&Server{}).Handler(s.registry, Admin{Level: zap.NewAtomicLevel()}), "/metrics")
	if want := namespace + `_stage_duration_seconds_count{stage="finish"} 1` + "\n"; !strings.Contains(text, want) {
		t.Errorf("missing: %s", want)
	}
}
