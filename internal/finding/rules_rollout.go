package finding

// RolloutFailed returns KS054: a rollout has stopped or is rolled back.
func RolloutFailed() Rule {
	return Rule{
		ID: "KS054", Name: "RolloutFailed", Severity: Error,
		Summary: "A rollout has stopped or is rolled back, because more Destinations of a wave have failed than it allows, or because it was aborted.",
		Why: "The Destinations of later waves keep what they have, so that a bad change does not reach the whole fleet. With onFailure: rollback, those already " +
			"changed get their former content back, the last wave first.",
		Fix: "Read what the agent of the named Destination reports, and correct the Promise or its pipeline: a new content begins with the first wave. If the cause was in the " +
			"cluster and is gone, the rollout continues by itself; after a rollback, annotate the Work with kratix-schedule.io/retry-revision and the revision in the finding.",
	}
}

// RolloutIgnored returns KS055: a Rollout has no effect on a Work that it selects.
func RolloutIgnored() Rule {
	return Rule{
		ID: "KS055", Name: "RolloutIgnored", Severity: Warning,
		Summary: "A Rollout selects a Work that another Rollout selects, or Works that Kratix places and writes.",
		Why:     "A Work can be in one rollout only: the first by name counts. And where Kratix writes the files, it also decides when; this program cannot make it wait.",
		Fix:     "Let the Rollouts select different Promises, types or labels.",
	}
}
