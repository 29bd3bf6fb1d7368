package finding

// DestinationAbsent returns KS049: a Destination with placements is not in the input.
func DestinationAbsent() Rule {
	return Rule{
		ID: "KS049", Name: "DestinationAbsent", Severity: Warning,
		Summary: "A Destination that has placements is not in the input. The placements stay where they are, and count.",
		Why: "A Destination that was deleted with cleanup none leaves its files, and its cluster continues to read them. " +
			"If its requests were placed again, each of them would run twice.",
		Fix: "Add the Destination again; it then has its recorded placements again. If it is gone for good, place its requests elsewhere " +
			"with --on-misplaced move, and remove the old files with `kratix-schedule cleanup`.",
	}
}

// OldCopy returns KS050: a Destination has files at a former location.
func OldCopy() Rule {
	return Rule{
		ID: "KS050", Name: "OldCopy", Severity: Warning,
		Summary: "Placements of a Destination are still at its former location, from before its path or state store changed.",
		Why: "The cluster may still read the old location, and would delete the objects whose files vanish there. So the new location is written and the old one is left, " +
			"until a user confirms with `kratix-schedule cleanup` that nothing reads it any more.",
		Fix: "Point the cluster to the new location, then run `kratix-schedule cleanup DESTINATION --apply`.",
	}
}

// FilepathModeChanged returns KS051: a Destination's files were written in another filepath mode.
func FilepathModeChanged() Rule {
	return Rule{
		ID: "KS051", Name: "FilepathModeChanged", Severity: Error,
		Summary: "The files of a Destination were written in another filepath mode than it has now; nothing is written for it.",
		Why: "Kratix never changes the mode of a Destination, so a changed mode is a mistake, or the Destination was deleted and created again. " +
			"Both layouts in one directory would not build, and a new layout makes Flux apply everything from other files.",
		Fix: "Set the mode back, or annotate the Destination with kratix-schedule.io/filepath-mode and its mode: " +
			"then all its files are moved to the new layout in one commit.",
	}
}

// OrphanedPlacement returns KS053: a WorkPlacement has no Work.
func OrphanedPlacement() Rule {
	return Rule{
		ID: "KS053", Name: "OrphanedPlacement", Severity: Warning,
		Summary: "The Work of a WorkPlacement is gone, but the WorkPlacement is not deleted.",
		Why: "Kratix continues to write it, so any placement with one of its objects is held back. Kubernetes deletes a WorkPlacement that names its Work as owner together with the Work; " +
			"this one does not name it.",
		Fix: "Delete the WorkPlacement, or create its Work again.",
	}
}

// PlacedTwice returns KS052: a group of a request is recorded on two Destinations.
func PlacedTwice() Rule {
	return Rule{
		ID: "KS052", Name: "PlacedTwice", Severity: Warning,
		Summary: "A group of a request is recorded on two Destinations; one of the two is removed.",
		Why: "Nothing is placed twice, but an earlier version, Kratix, or a Destination that was added again can have left two copies. " +
			"The copy stays that a WorkPlacement names, otherwise the one that the Work's decision names, otherwise one whose Destination's labels fit, " +
			"otherwise the one whose Destination's name comes first.",
		Fix: "Nothing, if the right copy stays; otherwise rebalance.",
	}
}
