package finding

// InvalidProfile returns KS110: a profile cannot be read.
func InvalidProfile() Rule {
	return Rule{
		ID: "KS110", Name: "InvalidProfile", Severity: Error,
		Summary: "A ClusterProfile, or the ConfigMap that should contain one, cannot be read.",
		Why: "Its Destination is checked without the profile: by the annotation `kratix-schedule.io/kubernetes-version` if it has one, else against the newest minor, which holds nothing back. " +
			"A profile is read whole or not at all, since a part of it that is missing would look like something that the cluster does not have.",
		Fix: "Write it anew with `kratix-schedule profile`, with the same version of kratix-schedule that reads it; do not change it by hand.",
	}
}

// UnusedProfile returns KS111: a profile is of no use.
func UnusedProfile() Rule {
	return Rule{
		ID: "KS111", Name: "UnusedProfile", Severity: Warning,
		Summary: "A profile belongs to a Destination that does not exist, or is older than another one of the same Destination.",
		Why: "A profile belongs to the Destination that its metadata.name names. If there is none of that name, it is probably misspelt, and the Destination that was meant is checked without. " +
			"Of two profiles of one Destination, the one with the later `taken` counts.",
		Fix: "Give metadata.name of the profile the name of the Destination (`kratix-schedule profile --name`), or remove the profile.",
	}
}

// StaleProfile returns KS112: a profile is old.
func StaleProfile() Rule {
	return Rule{
		ID: "KS112", Name: "StaleProfile", Severity: Warning,
		Summary: "A profile is older than --profile-max-age (30 days).",
		Why: "The profile still counts: what it lacks, and no file of the Destination brings, is an error. The older it is, the more likely the cluster has been upgraded since, or has got a kind or a namespace " +
			"that the profile does not have; a request that needs it is then held back although it would apply.",
		Fix: "Write the profile anew with `kratix-schedule profile`, best by a job that does so every day.",
	}
}

// DisputedProfile returns KS113: a profile and the annotation of its Destination disagree.
func DisputedProfile() Rule {
	return Rule{
		ID: "KS113", Name: "DisputedProfile", Severity: Warning,
		Summary: "The profile of a Destination has another Kubernetes minor than its annotation kratix-schedule.io/kubernetes-version.",
		Why: "One of them is out of date, and nobody can tell which: the profile may be older than an upgrade of the cluster, or the annotation forgotten. So neither holds anything back: " +
			"what depends on the version, or on what the cluster has, is a warning against the profile's minor until they agree.",
		Fix: "Remove the annotation, as a profile has the version itself; or write the profile anew with `kratix-schedule profile`.",
	}
}

// PartialProfile returns KS114: the API server could not list a group when a profile was taken.
func PartialProfile() Rule {
	return Rule{
		ID: "KS114", Name: "PartialProfile", Severity: Note,
		Summary: "When a profile was taken, the API server could not list a group of its kinds.",
		Why: "The group is served by an aggregated API, such as metrics.k8s.io, that was down. Whether a kind of this group is served is not known, so an object of one is never held back for it: " +
			"it is a warning (KS100). All other groups are known.",
		Fix: "Find out why the APIService is not available (`kubectl get apiservices`), or delete it if nothing needs it; then write the profile anew with `kratix-schedule profile`.",
	}
}
