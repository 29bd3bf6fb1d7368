package report

import "time"

// Rollout is the state of a Rollout for the Works of one Promise.
type Rollout struct {
	// Name is the name of the Rollout.
	Name    string `json:"name"`
	Promise string `json:"promise"`
	// Works are the names of the Works, in order.
	Works []string `json:"works"`
	// Revision identifies the wanted contents.
	Revision string `json:"revision"`
	Phase    string `json:"phase"`
	Reason   string `json:"reason,omitempty"`
	// Since is the start of the run; zero if nothing has been written.
	Since time.Time     `json:"since,omitzero"`
	Waves []RolloutWave `json:"waves"`
	// Destinations are the Destinations of the Works, sorted by name.
	Destinations []RolloutDestination `json:"destinations"`
}

// RolloutWave is the state of a wave.
type RolloutWave struct {
	Name         string `json:"name"`
	Destinations int    `json:"destinations"`
	Updated      int    `json:"updated"`
	InFlight     int    `json:"inFlight"`
	Failed       int    `json:"failed"`
	// Reason says what the wave waits for; empty if it is complete.
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
