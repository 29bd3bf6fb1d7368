package git

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func TestMessageListsPlacementsAndTrailers(t *testing.T) {
	const place, update, remove = statestore.Place, statestore.Update, statestore.Remove
	placements := func(all ...statestore.PlacementChange) statestore.ChangeSet {
		return statestore.ChangeSet{Placements: all}
	}
	for name, c := range map[string]struct {
		changes statestore.ChangeSet
		want    string
	}{
		"one placement": {
			placements(statestore.PlacementChange{Action: place, Work: "default/elastic-cloud-example", Destination: "worker-1"}),
			"Place default/elastic-cloud-example on worker-1\n\nKratix-Work: default/elastic-cloud-example\nKratix-Destination: worker-1\n",
		},
		"one removal": {
			placements(statestore.PlacementChange{Action: remove, Work: "default/db", Destination: "worker-1"}),
			"Remove default/db from worker-1\n\nKratix-Work: default/db\nKratix-Destination: worker-1\n",
		},
		"several of every action": {
			placements(
				statestore.PlacementChange{Action: remove, Work: "z/old", Destination: "w2"},
				statestore.PlacementChange{Action: update, Work: "a/db", Destination: "w2"},
				statestore.PlacementChange{Action: place, Work: "b/db", Destination: "w1"},
				statestore.PlacementChange{Action: update, Work: "a/db", Destination: "w1"},
				statestore.PlacementChange{Action: place, Work: "b/db", Destination: "w1"},
			),
			"Place 2, update 2, remove 1 placements\n\n" +
				"* Place b/db on w1\n* Update a/db on w1\n* Update a/db on w2\n* Remove z/old from w2\n\n" +
				"Kratix-Work: a/db\nKratix-Work: b/db\nKratix-Work: z/old\nKratix-Destination: w1\nKratix-Destination: w2\n",
		},
		"only updates": {
			placements(
				statestore.PlacementChange{Action: update, Work: "a/b", Destination: "w"},
				statestore.PlacementChange{Action: update, Work: "a/c", Destination: "w"},
			),
			"Update 2 placements\n\n* Update a/b on w\n* Update a/c on w\n\nKratix-Work: a/b\nKratix-Work: a/c\nKratix-Destination: w\n",
		},
		"a name that would forge a trailer": {
			placements(statestore.PlacementChange{Action: place, Work: "a/b\n\nSigned-off-by: x", Destination: "w\r\n"}),
			`Place a/b\n\nSigned-off-by: x on w\r\n` + "\n\n" + `Kratix-Work: a/b\n\nSigned-off-by: x` + "\n" + `Kratix-Destination: w\r\n` + "\n",
		},
		"files only": {
			statestore.ChangeSet{Write: make([]tree.File, 2), Remove: make([]tree.Path, 1)},
			"Write 2 files, remove 1 file\n",
		},
		"one written file":   {statestore.ChangeSet{Write: make([]tree.File, 1)}, "Write 1 file\n"},
		"some files removed": {statestore.ChangeSet{Remove: make([]tree.Path, 3)}, "Remove 3 files\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newMessageData(c.changes).text(); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}
