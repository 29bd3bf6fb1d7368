package finding

// KeptFromBefore returns KS029: the former objects of a broken file are still in effect.
func KeptFromBefore() Rule {
	return Rule{
		ID: "KS029", Name: "KeptFromBefore", Severity: Warning,
		Summary: "A file of the input is empty or cannot be read completely, so its previous content still counts.",
		Why: "A truncated file does not prove that its Works were deleted. While the input is watched they stay as they were; a process that has just " +
			"started does not know the previous content, and does not remove any placement that has lost its Work.",
		Fix: "Write the file again. To remove its objects, delete the file.",
	}
}

// DeletionsRefused returns KS061: the deletion guard protects files.
func DeletionsRefused() Rule {
	return Rule{
		ID: "KS061", Name: "DeletionsRefused", Severity: Error,
		Summary: "More placements have lost their Works or groups than may be removed within --removal-window; none of them is removed.",
		Why: "Removing a placement deletes what runs on a cluster. An input that suddenly lists much less is more often broken than intended: a wrong directory, an " +
			"emptied file, an incomplete checkout. Within ten minutes five placements, or one in five of all, whichever is more, may be removed; and with an input without " +
			"any Work nothing is removed. Everything else is written.",
		Fix: "Restore the Works. If the removal is intended, allow it with --allow-removals, or with --allow-removals-file while a daemon runs.",
	}
}

// DeletionsHeld returns KS062: placements without a Work are kept for now.
func DeletionsHeld() Rule {
	return Rule{
		ID: "KS062", Name: "DeletionsHeld", Severity: Warning,
		Summary: "Placements without a Work stay for now, because part of the input could not be read, or because they have just lost it.",
		Why:     "The Work may be in the part that could not be read, or in a file that is just being replaced.",
		Fix:     "Correct the files that are reported as unreadable or empty (KS020, KS029). After a start, wait for the time that --removal-delay sets.",
	}
}

// ControllersFight returns KS067: another controller reverts the writes of this controller.
func ControllersFight() Rule {
	return Rule{
		ID: "KS067", Name: "ControllersFight", Severity: Error,
		Summary: "Another controller reverts what is written for a Destination; the Destination is left to the other controller.",
		Why: "Two controllers with different inputs, and without different controller IDs, remove each other's placements in turn, and Flux deletes and " +
			"creates the workloads each time. Once the same record was reverted twice within ten minutes, this controller stops writing there. It tries again when the records have " +
			"not changed for a while, which doubles each time, when it is restarted, and on SIGHUP.",
		Fix: "Stop one of the two, or give each its own --owner-id and its Destinations different paths. Then send SIGHUP, or restart.",
	}
}
