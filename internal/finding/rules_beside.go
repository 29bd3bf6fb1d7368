package finding

// PolicyNotInForce returns KS071: Kratix may place Works beside this program.
func PolicyNotInForce() Rule {
	return Rule{
		ID: "KS071", Name: "PolicyNotInForce", Severity: Error,
		Summary: "Kratix may place Works itself, and so write what would break a Destination.",
		Why: "With --schedule-only this program decides which Works have a WorkPlacement, and Kratix writes those. A ValidatingAdmissionPolicy keeps " +
			"Kratix's own scheduler from creating any. Without it Kratix places each new Work within milliseconds, conflicts included.",
		Fix: "Apply deploy/schedule, or set admissionPolicy.create in the Helm chart; name Kratix's ServiceAccount there and with " +
			"--kratix-service-account if it is not the usual one.",
	}
}

// PolicyUnchecked returns KS072: the admission policy could not be checked.
func PolicyUnchecked() Rule {
	return Rule{
		ID: "KS072", Name: "PolicyUnchecked", Severity: Warning,
		Summary: "It is not known whether an admission policy keeps Kratix from placing Works.",
		Why: "The program checks this with a dry run as Kratix's ServiceAccount if its role allows that, and otherwise by reading the policy " +
			"and its binding. As long as it can do neither, a missing policy goes unnoticed.",
		Fix: "Give the ServiceAccount of this program the roles that deploy/schedule has.",
	}
}

// PolicyDeniesSelf returns KS077: an admission policy keeps this program from placing Works.
func PolicyDeniesSelf() Rule {
	return Rule{
		ID: "KS077", Name: "PolicyDeniesSelf", Severity: Error,
		Summary: "An admission policy or webhook keeps this program itself from creating WorkPlacements, so no new Work is placed.",
		Why: "The policy for --schedule-only applies to Kratix's ServiceAccount only. With one that applies to everybody, or that names the ServiceAccount of this " +
			"program as Kratix's, no program can place Works. Existing placements stay, and Kratix continues to write them.",
		Fix: "Exclude the ServiceAccount of this program from the policy or webhook that the message names, or name Kratix's own instead in deploy/schedule or " +
			"in the Helm chart's kratix.serviceAccount.",
	}
}

// OtherScheduler returns KS073: another scheduler places Works in the cluster.
func OtherScheduler() Rule {
	return Rule{
		ID: "KS073", Name: "OtherScheduler", Severity: Error,
		Summary: "Another program creates WorkPlacements besides this one.",
		Why: "Two schedulers place each request twice, and two writers break a Destination together where each alone would not. " +
			"Another program has created a WorkPlacement or changed its spec since this process started. " +
			"With --schedule-only this program continues, and what the other one places is written unchecked; in other modes it stops writing.",
		Fix: "Find out which program it is, and stop it or keep it from creating WorkPlacements; then restart this one. " +
			"--with-kratix=ignore continues anyway, and does not report it.",
	}
}

// NotPromoted returns KS074: a Destination has no live state store.
func NotPromoted() Rule {
	return Rule{
		ID: "KS074", Name: "NotPromoted", Severity: Warning,
		Summary: "A Destination has no live state store, so nothing on it is promoted.",
		Why: "With --promote Kratix writes where no cluster reads, and this program writes what is clean to the live state store. Without a live state store, " +
			"what Kratix places on the Destination does not reach any cluster. What was promoted before stays where it is.",
		Fix: "Annotate the Destination with kratix-schedule.io/state-store: KIND/NAME, or map its state store with --live-store.",
	}
}

// InvalidLiveStore returns KS075: the live state store of a Destination cannot be used.
func InvalidLiveStore() Rule {
	return Rule{
		ID: "KS075", Name: "InvalidLiveStore", Severity: Error,
		Summary: "The live state store of a Destination cannot be used; nothing on the Destination is promoted.",
		Why: "The annotation kratix-schedule.io/state-store, or --live-store, does not name an existing state store, or names one that Kratix " +
			"itself writes to at the same path: what is held back would be there anyway. Everything else is promoted.",
		Fix: "Name an existing state store, as KIND/NAME.",
	}
}

// UnusablePlacement returns KS076: a WorkPlacement differs from those that Kratix creates.
func UnusablePlacement() Rule {
	return Rule{
		ID: "KS076", Name: "UnusablePlacement", Severity: Error,
		Summary: "A WorkPlacement differs from those that Kratix creates, and is not promoted.",
		Why: "Promoted files are identified by the name of their WorkPlacement, which Kratix derives from the Work, the Destination and the group. " +
			"What was promoted of the Work before stays as it is.",
		Fix: "Delete the WorkPlacement if it was created by hand; Kratix creates its own.",
	}
}
