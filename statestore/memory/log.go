package memory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Log returns the newest versions, without their times.
func (s *Store) Log(ctx context.Context, most int) (statestore.Log, error) {
	if err := statestore.Ended(ctx, "read", s.name); err != nil {
		return statestore.Log{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := slices.Clone(s.log[max(0, len(s.log)-most):])
	slices.Reverse(newest)
	return statestore.Log{Entries: newest, More: len(s.log) > most}, nil
}

func message(placements []statestore.PlacementChange) string {
	var subjects []string
	var trailers strings.Builder
	for _, p := range placements {
		subjects = append(subjects, fmt.Sprintf("%s %s on %s", p.Action, p.Work, p.Destination))
		fmt.Fprintf(&trailers, "Kratix-Work: %s\nKratix-Destination: %s\n", p.Work, p.Destination)
	}
	return strings.Join(subjects, ", ") + "\n\n" + trailers.String()
}
