package report

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

// Rollout is the state of a Rollout for the Works of one Promise.
type Rollout struct {
	Name    string `json:"name"`
	Promise string `json:"promise"`
	// Works are the names of the Works, in order.
	Works []string `json:"works"`
	// Revision identifies the wanted contents.
	Revision string `json:"revision"`
	Phase    string `json:"phase"`
	Reason   string `json:"reason,omitempty"`
	// Since is the start of the rollout of Revision, or zero if nothing has been written.
	Since time.Time     `json:"since,omitzero"`
	Waves []RolloutWave `json:"waves"`
	// Destinations are sorted by name.
	Destinations []RolloutDestination `json:"destinations"`
}

// RolloutWave is the state of a wave.
type RolloutWave struct {
	Name         string `json:"name"`
	Destinations int    `json:"destinations"`
	Updated      int    `json:"updated"`
	InFlight     int    `json:"inFlight"`
	Failed       int    `json:"failed"`
	// Reason is the reason why the wave waits. It is empty if the wave is complete.
	Reason string `json:"reason,omitempty"`
}

// RolloutDestination is the state of a Destination in a rollout.
type RolloutDestination struct {
	Name string `json:"name"`
	Wave string `json:"wave"`
	// Updated means that the Destination has the wanted content.
	Updated bool      `json:"updated"`
	Since   time.Time `json:"since,omitzero"`
	Reason  string    `json:"reason,omitempty"`
}

// RolloutLines writes the state of each rollout and of its waves. It returns the error of w.
func RolloutLines(w io.Writer, rollouts []Rollout) error {
	out := bufio.NewWriter(w)
	for i := range rollouts {
		rollouts[i].lines(out)
	}
	return out.Flush()
}

func (r *Rollout) lines(out *bufio.Writer) {
	head := fmt.Sprintf("Rollout %s of Promise %s, revision %s: %s", r.Name, r.Promise, r.Revision, r.Phase)
	if r.Reason != "" {
		head += ": " + r.Reason
	}
	printf(out, "%s\n", printable.Line(head))
	width := 0
	for _, wave := range r.Waves {
		width = max(width, len(printable.Line(wave.Name)))
	}
	for _, wave := range r.Waves {
		text := fmt.Sprintf("%d of %d updated, %d in flight, %d failed", wave.Updated, wave.Destinations, wave.InFlight, wave.Failed)
		if wave.Reason != "" {
			text += ": " + wave.Reason
		}
		printf(out, "  %-*s  %s\n", width, printable.Line(wave.Name), printable.Line(text))
	}
}

// DestinationLines writes a line for each Destination of the rollout. It returns the error of w.
func (r *Rollout) DestinationLines(w io.Writer) error {
	out := bufio.NewWriter(w)
	name, wave := 0, 0
	for _, d := range r.Destinations {
		name, wave = max(name, len(printable.Line(d.Name))), max(wave, len(printable.Line(d.Wave)))
	}
	for _, d := range r.Destinations {
		text := d.Reason
		switch {
		case d.Updated && d.Since.IsZero():
			text = "as wanted"
		case d.Updated:
			text = "updated " + d.Since.UTC().Format(time.RFC3339)
		case text == "":
			text = "to be written"
		}
		printf(out, "  %-*s  %-*s  %s\n", name, printable.Line(d.Name), wave, printable.Line(d.Wave), printable.Line(text))
	}
	return out.Flush()
}
