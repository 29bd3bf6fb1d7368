package rollout

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Limits of a spec, which a tenant may write.
const (
	MaxWaves   = 64
	MaxWindows = 32
)

// DefaultDeadline is the deadline of a wave that sets none.
const DefaultDeadline = time.Hour

// maxDuration bounds the soak time, the deadline and the duration of a window.
const maxDuration = 366 * 24 * time.Hour

// Spec is a valid Rollout.
type Spec struct {
	// Name is the name of the Rollout.
	Name  string
	Works Works
	Waves []Wave
	// Stable means that a Destination that joins during a run gets the former content first.
	Stable bool
	// RollBack means that the changed Destinations get the former content back after a failure.
	RollBack bool
	Paused   bool
	// Aborted is the revision that is given up, or empty.
	Aborted string
	// Approved are the approvals, as Approval returns them.
	Approved map[string]bool
}

// Works selects Works.
type Works struct {
	Promise      string
	Dependencies bool
	Selector     labels.Selector
}

// Selects reports whether a Work with these properties is selected.
func (w *Works) Selects(promise string, isDependency bool, workLabels map[string]string) bool {
	return w.SelectsPromise(promise, isDependency) && w.Selector.Matches(labels.Set(workLabels))
}

// SelectsPromise reports whether Works of a Promise may be selected, without regard to their
// labels.
func (w *Works) SelectsPromise(promise string, isDependency bool) bool {
	return (w.Promise == "" || w.Promise == promise) && w.Dependencies == isDependency
}

// Wave is a part of the Destinations.
type Wave struct {
	Name         string
	Destinations labels.Selector
	// MaxConcurrent is the number of Destinations that may be in flight, or a percentage of the wave
	// if Percent is set. Zero means all.
	MaxConcurrent int
	Percent       bool
	Gate          Gate
	Soak          time.Duration
	MaxFailures   int
	Deadline      time.Duration
	Approval      bool
	Windows       []Window
}

// Gate is the report that a Destination needs before it counts as done.
type Gate string

// The gates.
const (
	Written Gate = "written"
	Applied Gate = "applied"
	Healthy Gate = "healthy"
)

// Approval returns the text that approves a wave for a revision.
func Approval(revision, wave string) string { return revision + "/" + wave }

// Compile returns the Spec of a Rollout. Its errors are for users.
func Compile(r *kratix.Rollout) (*Spec, error) {
	s := &Spec{
		Name: r.Name, Paused: r.Spec.Paused, Aborted: r.Annotations[kratix.AbortAnnotation], Approved: map[string]bool{},
		Stable: r.Spec.NewDestinations == kratix.StableDestinations, RollBack: r.Spec.OnFailure == kratix.RollBackOnFailure,
	}
	for one := range strings.SplitSeq(r.Annotations[kratix.ApproveAnnotation], ",") {
		s.Approved[strings.TrimSpace(one)] = true
	}
	var err error
	if s.Works, err = CompileWorks(r); err != nil {
		return nil, err
	}
	if err := oneOf("spec.newDestinations", r.Spec.NewDestinations, "", kratix.LatestDestinations, kratix.StableDestinations); err != nil {
		return nil, err
	}
	if err := oneOf("spec.onFailure", r.Spec.OnFailure, "", kratix.StopOnFailure, kratix.RollBackOnFailure); err != nil {
		return nil, err
	}
	if n := len(r.Spec.Waves); n == 0 || n > MaxWaves {
		return nil, fmt.Errorf("spec.waves has %d waves; it must have 1 to %d", n, MaxWaves)
	}
	names := map[string]bool{RestWave: true}
	for i := range r.Spec.Waves {
		wave, err := compileWave(&r.Spec.Waves[i])
		if err != nil {
			return nil, fmt.Errorf("spec.waves[%d]: %w", i, err)
		}
		if names[wave.Name] {
			return nil, fmt.Errorf("spec.waves[%d]: the name %q is taken", i, wave.Name)
		}
		names[wave.Name] = true
		s.Waves = append(s.Waves, wave)
	}
	return s, nil
}

// CompileWorks returns the Works that a Rollout selects, even if the rest of the Rollout is
// invalid.
func CompileWorks(r *kratix.Rollout) (Works, error) {
	if err := oneOf("spec.works.type", r.Spec.Works.Type, "", kratix.DependenciesType, kratix.RequestsType); err != nil {
		return Works{}, err
	}
	selector, err := selectorOf(r.Spec.Works.Selector)
	if err != nil {
		return Works{}, fmt.Errorf("spec.works.selector: %w", err)
	}
	return Works{Promise: r.Spec.Works.PromiseName, Dependencies: r.Spec.Works.Type != kratix.RequestsType, Selector: selector}, nil
}

func compileWave(w *kratix.RolloutWave) (Wave, error) {
	wave := Wave{Name: w.Name, Gate: Gate(w.Gate), MaxFailures: w.MaxFailures, Approval: w.Approval, Deadline: DefaultDeadline}
	if w.Gate == "" {
		wave.Gate = Written
	}
	switch {
	case w.Name == "" || strings.ContainsAny(w.Name, ",/ \t\n"):
		return wave, fmt.Errorf("name: %q is empty, or has a comma, a slash or a space", w.Name)
	case w.MaxFailures < 0:
		return wave, errors.New("maxFailures must not be negative")
	case len(w.Windows) > MaxWindows:
		return wave, fmt.Errorf("windows has %d entries; at most %d are allowed", len(w.Windows), MaxWindows)
	}
	if err := oneOf("gate", w.Gate, "", string(Written), string(Applied), string(Healthy)); err != nil {
		return wave, err
	}
	var err error
	if wave.Destinations, err = selectorOf(w.Destinations); err != nil {
		return wave, fmt.Errorf("destinations: %w", err)
	}
	if wave.MaxConcurrent, wave.Percent, err = concurrency(w.MaxConcurrent); err != nil {
		return wave, err
	}
	if wave.Soak, err = duration("soak", w.Soak, 0); err != nil {
		return wave, err
	}
	if wave.Deadline, err = duration("deadline", w.Deadline, DefaultDeadline); err != nil {
		return wave, err
	}
	for i := range w.Windows {
		window, err := newWindow(&w.Windows[i])
		if err != nil {
			return wave, fmt.Errorf("windows[%d]: %w", i, err)
		}
		wave.Windows = append(wave.Windows, window)
	}
	return wave, nil
}

// selectorOf returns a selector. A nil selector selects everything.
func selectorOf(s *metav1.LabelSelector) (labels.Selector, error) {
	if s == nil {
		return labels.Everything(), nil
	}
	if err := kratix.CheckExpressions(s.MatchExpressions); err != nil {
		return nil, err
	}
	return metav1.LabelSelectorAsSelector(s)
}

// concurrency parses a number or a percentage.
func concurrency(text kratix.IntOrPercent) (n int, percent bool, err error) {
	if text == "" {
		return 0, false, nil
	}
	digits, percent := strings.CutSuffix(string(text), "%")
	n, err = strconv.Atoi(digits)
	if err != nil || n < 1 || percent && n > 100 {
		return 0, false, fmt.Errorf("maxConcurrent: %q is neither a number from 1 on nor a percentage from 1%% to 100%%", string(text))
	}
	return n, percent, nil
}

func duration(field, text string, otherwise time.Duration) (time.Duration, error) {
	if text == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > maxDuration {
		return 0, fmt.Errorf("%s: %q is not a duration like 30m, of at most %d days", field, text, maxDuration/(24*time.Hour))
	}
	return d, nil
}

func oneOf(field, value string, allowed ...string) error {
	for _, one := range allowed {
		if value == one {
			return nil
		}
	}
	return fmt.Errorf("%s: %q is not known; use %s", field, value, strings.Join(allowed[1:], " or "))
}

// limit returns the number of the wave's targets that may be in flight.
func (w *Wave) limit(targets int) int {
	switch {
	case w.MaxConcurrent == 0:
		return targets
	case w.Percent:
		return max(1, (w.MaxConcurrent*targets+99)/100)
	}
	return w.MaxConcurrent
}
