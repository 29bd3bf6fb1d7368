package finding

// RolledBack returns KS080: a placement was rolled back because its agent could not apply it.
func RolledBack() Rule {
	return Rule{
		ID: "KS080", Name: "RolledBack", Severity: Error,
		Summary: "Flux or Argo CD could not apply what a placement changed, so its last applied files were restored; the placement is held back.",
		Why: "An agent applies all objects of a root or none, so the change of one request stopped all others. With --on-apply-failure rollback, the placement that " +
			"certainly has the failing object gets the files back that were applied last; a placement that is new gets none. What others have changed stays. " +
			"The placement is written again as soon as its Work asks for other files.",
		Fix: "Correct what the agent's message names in the pipeline's output. If the cause was in the cluster and is gone, try the same files again: annotate the Work with " +
			"kratix-schedule.io/retry-revision and the revision that failed.",
	}
}

// NotRolledBack returns KS081: an agent fails, and nothing is rolled back.
func NotRolledBack() Rule {
	return Rule{
		ID: "KS081", Name: "NotRolledBack", Severity: Warning,
		Summary: "Flux or Argo CD cannot apply a revision, and it is not safe to roll a placement back.",
		Why: "With --on-apply-failure rollback, a placement is rolled back only if it certainly has the failing object, if that object came or changed since the last " +
			"applied revision, and if its files at that revision can be read. Otherwise everything stays as it is.",
		Fix: "Read the agent's message, and correct the request that it is about; the placements that changed since the last applied revision come first.",
	}
}
