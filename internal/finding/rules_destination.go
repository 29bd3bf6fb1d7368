package finding

// DestinationAbsent returns KS049: a Destination with placements is not in the input.
func DestinationAbsent() Rule {
	return Rule{
		ID: "KS049", Name: "DestinationAbsent", Severity: Warning,
		Summary: "A Destination that has placements is not in the input. They stay where they are, and count.",
		Why: "A Destination that was deleted with cleanup none leaves its files, and its cluster continues to read them. " +
			"If its requests were placed again, each of them would run twice.",
		Fix: "Add the Destination again: what is recorded there is its own again. If it is gone for good, let its requests be placed anew " +
			"with --on-misplaced move, and remove the old files with `kratix-schedule cleanup`.",
	}
}

// OldCopy returns KS050: a Destination has files at a former location.
func OldCopy() Rule {
	return Rule{
		ID: "KS050", Name: "OldCopy", Severity: Warning,
		Summary: "Placements of a Destination are still where it was before its path or state store changed.",
		Why: "The cluster may still read the old location, and would delete what vanishes there. So the new location is written and the old one is left, " +
			"until its user says that nothing reads it any more.",
		Fix: "Point the cluster to the new location, then run `kratix-schedule cleanup DESTINATION --apply`.",
	}
}

// FilepathModeChanged returns KS051: a Destination's files were written in another filepath mode.
func FilepathModeChanged() Rule {
	return Rule{
		ID: "KS051", Name: "FilepathModeChanged", Severity: Error,
		Summary: "A Destination is laid out in another filepath mode than it has now; nothing of it is written.",
		Why: "Kratix never changes the mode of a Destination, so a changed one is a mistake, or the Destination was made anew. " +
			"Both layouts in one directory would not build, and a new layout makes Flux apply everything from other files.",
		Fix: "Set the mode back, or annotate the Destination with kratix-schedule.io/filepath-mode and its mode: " +
			"then all of it is laid out anew in one commit.",
	}
}

// OrphanedPlacement returns KS053: a WorkPlacement has no Work.
func OrphanedPlacement() Rule {
	return Rule{
		ID: "KS053", Name: "OrphanedPlacement", Severity: Warning,
		Summary: "The Work of a WorkPlacement is gone, but the WorkPlacement is not deleted.",
		Why: "Kratix continues to write it, so any placement with one of its objects is held back. A WorkPlacement that names its Work as owner is deleted with it; " +
			"this one does not.",
		Fix: "Delete the WorkPlacement, or create its Work again.",
	}
}

// PlacedTwice returns KS052: a request is on two Destinations.
func PlacedTwice() Rule {
	return Rule{
		ID: "KS052", Name: "PlacedTwice", Severity: Warning,
		Summary: "A group of a request is recorded on two Destinations; one of the two is removed.",
		Why: "Nothing is placed twice, but an earlier version, Kratix, or a Destination that came back can have left two copies. " +
			"The one stays that a WorkPlacement names, else the one that the Work's decision names, else one whose Destination's labels fit, " +
			"else the one whose Destination's name comes first.",
		Fix: "Nothing, if the copy that stays is right; else rebalance.",
	}
}
