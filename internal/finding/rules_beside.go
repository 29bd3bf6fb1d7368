package finding

// PolicyNotInForce returns KS071: Kratix may place Works beside this program.
func PolicyNotInForce() Rule {
	return Rule{
		ID: "KS071", Name: "PolicyNotInForce", Severity: Error,
		Summary: "Kratix may place Works itself, and so write what would break a Destination.",
		Why: "With --schedule-only this program decides what has a WorkPlacement, and Kratix writes whatever has one. Kratix's own scheduler is " +
			"kept from making any by a ValidatingAdmissionPolicy. Without it Kratix places each new Work within milliseconds, conflicts included.",
		Fix: "Apply deploy/schedule, or set admissionPolicy.create in the Helm chart; name Kratix's ServiceAccount there and with " +
			"--kratix-service-account if it is not the usual one.",
	}
}

// PolicyUnchecked returns KS072: the admission policy could not be checked.
func PolicyUnchecked() Rule {
	return Rule{
		ID: "KS072", Name: "PolicyUnchecked", Severity: Warning,
		Summary: "It is not known whether Kratix is denied to place Works.",
		Why: "The program asks the API server, by a dry run as Kratix's ServiceAccount where its role allows that, and else by reading the policy " +
			"and its binding. As long as it cannot, a policy that is missing goes unnoticed.",
		Fix: "Give the ServiceAccount of this program the roles that deploy/schedule has.",
	}
}

// PolicyDeniesSelf returns KS077: an admission policy keeps this program from placing Works.
func PolicyDeniesSelf() Rule {
	return Rule{
		ID: "KS077", Name: "PolicyDeniesSelf", Severity: Error,
		Summary: "An admission policy or webhook keeps this program itself from making WorkPlacements, so that no new Work is placed.",
		Why: "The policy for --schedule-only is about Kratix's ServiceAccount alone. One that is about everybody, or that names the ServiceAccount of this " +
			"program as Kratix's, leaves no program that places Works. Existing placements stay, and Kratix continues to write them.",
		Fix: "Except the ServiceAccount of this program from the policy or webhook that the message names, or put Kratix's own in its place in deploy/schedule or " +
			"in the Helm chart's kratix.serviceAccount.",
	}
}

// OtherScheduler returns KS073: another scheduler places Works in the cluster.
func OtherScheduler() Rule {
	return Rule{
		ID: "KS073", Name: "OtherScheduler", Severity: Error,
		Summary: "Another program makes WorkPlacements, beside this one.",
		Why: "Two schedulers place each request twice, and two writers break a Destination together where each alone would not. " +
			"Another program has created a WorkPlacement or changed its spec since this process started. " +
			"With --schedule-only this program continues, and what the other one places is written unchecked; in other modes it stops writing.",
		Fix: "Find out which program it is, and stop it or keep it from making WorkPlacements; then restart this one. " +
			"--with-kratix=ignore continues anyway, and does not report it.",
	}
}

// NotPromoted returns KS074: a Destination has no live state store.
func NotPromoted() Rule {
	return Rule{
		ID: "KS074", Name: "NotPromoted", Severity: Warning,
		Summary: "A Destination has no live state store, so that nothing of it is promoted.",
		Why: "With --promote Kratix writes where no cluster reads, and this program writes what is clean to the live state store. Without one what " +
			"Kratix places on the Destination reaches no cluster. What was promoted before stays where it is.",
		Fix: "Annotate the Destination with kratix-schedule.io/state-store: KIND/NAME, or map its state store with --live-store.",
	}
}

// InvalidLiveStore returns KS075: the live state store is invalid.
func InvalidLiveStore() Rule {
	return Rule{
		ID: "KS075", Name: "InvalidLiveStore", Severity: Error,
		Summary: "The live state store of a Destination cannot be used; nothing of the Destination is promoted.",
		Why: "The annotation kratix-schedule.io/state-store, or --live-store, does not name a state store that is there, or names one that Kratix " +
			"itself writes to at the same path: what is held back would be there all the same. Everything else is promoted.",
		Fix: "Name a GitStateStore or a BucketStateStore that is there, as KIND/NAME.",
	}
}

// UnusablePlacement returns KS076: a WorkPlacement differs from those that Kratix creates.
func UnusablePlacement() Rule {
	return Rule{
		ID: "KS076", Name: "UnusablePlacement", Severity: Error,
		Summary: "A WorkPlacement is not as Kratix makes them, and is not promoted.",
		Why: "What is promoted is found again by the name of its WorkPlacement, which Kratix makes of the Work, the Destination and the group. " +
			"What was promoted of the Work before stays as it is.",
		Fix: "Delete the WorkPlacement if it was created by hand; Kratix creates its own.",
	}
}
