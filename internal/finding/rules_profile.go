package finding

// InvalidProfile returns KS110: a profile cannot be read.
func InvalidProfile() Rule {
	return Rule{
		ID: "KS110", Name: "InvalidProfile", Severity: Error,
		Summary: "A ClusterProfile, or the ConfigMap that should contain one, cannot be read.",
		Why: "Its Destination is checked without the profile: against the minor in its annotation `kratix-schedule.io/kubernetes-version` if it has one, otherwise against the newest minor, which holds nothing back. " +
			"A profile is read completely or not at all, since a missing part would look like something that the cluster does not have.",
		Fix: "Write it again with `kratix-schedule profile`, with the same version of kratix-schedule that reads it; do not change it by hand.",
		Example: `apiVersion: kratix-schedule.io/v1alpha1
kind: ClusterProfile
metadata: {name: worker-1}
taken: 2026-03-01T12:00:00Z
kinds: [{apiVersion: v1, kind: ConfigMap, namespaced: true}]
namespaces: [default]
# kubernetesVersion is missing`,
	}
}

// UnusedProfile returns KS111: a profile has no Destination, or there is a newer profile.
func UnusedProfile() Rule {
	return Rule{
		ID: "KS111", Name: "UnusedProfile", Severity: Warning,
		Summary: "A profile belongs to a Destination that does not exist, or is older than another one of the same Destination.",
		Why: "A profile belongs to the Destination that its metadata.name names. If there is no Destination of that name, it is probably misspelt, and the intended Destination is checked without a profile. " +
			"Of two profiles of one Destination, the one with the later `taken` counts.",
		Fix: "Set metadata.name of the profile to the name of the Destination (`kratix-schedule profile --name`), or remove the profile.",
		Example: `apiVersion: kratix-schedule.io/v1alpha1
kind: ClusterProfile
metadata: {name: prod-worker-1} # the Destination is worker-1`,
	}
}

// StaleProfile returns KS112: a profile is old.
func StaleProfile() Rule {
	return Rule{
		ID: "KS112", Name: "StaleProfile", Severity: Warning,
		Summary: "A profile is older than --profile-max-age (30 days).",
		Why: "The profile still counts: a kind or namespace that neither the profile nor a file of the Destination has is an error. The older the profile, the more likely the cluster has been upgraded since, or has a new kind or namespace " +
			"that the profile lacks; a request that needs it is then held back although it could be applied.",
		Fix: "Write the profile again with `kratix-schedule profile`, ideally in a daily job.",
		Example: `apiVersion: kratix-schedule.io/v1alpha1
kind: ClusterProfile
metadata: {name: worker-1}
taken: 2026-01-01T12:00:00Z # more than 30 days ago`,
	}
}

// DisputedProfile returns KS113: a profile and the annotation of its Destination disagree.
func DisputedProfile() Rule {
	return Rule{
		ID: "KS113", Name: "DisputedProfile", Severity: Warning,
		Summary: "The profile of a Destination has another Kubernetes minor than its annotation kratix-schedule.io/kubernetes-version.",
		Why: "One of them is out of date, and it is not known which: the profile may be older than an upgrade of the cluster, or the annotation was not updated. So neither holds anything back: " +
			"until they agree, findings that depend on the version or on what the cluster has are warnings, checked against the profile's minor.",
		Fix: "Remove the annotation, as the profile has the version itself; or write the profile again with `kratix-schedule profile`.",
		Example: `apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata:
  name: worker-1
  annotations: {kratix-schedule.io/kubernetes-version: "1.33"} # kubernetesVersion of its profile is v1.34.2`,
	}
}

// PartialProfile returns KS114: the API server could not list a group when a profile was taken.
func PartialProfile() Rule {
	return Rule{
		ID: "KS114", Name: "PartialProfile", Severity: Note,
		Summary: "When a profile was taken, the API server could not list a group of its kinds.",
		Why: "The group is served by an aggregated API, such as metrics.k8s.io, that was down. It is not known whether the cluster serves a kind of this group, so an object of such a kind is never held back for that: " +
			"it is a warning (KS100). All other groups are known.",
		Fix: "Find out why the APIService is not available (`kubectl get apiservices`), or delete it if nothing needs it; then write the profile again with `kratix-schedule profile`.",
		Example: `apiVersion: kratix-schedule.io/v1alpha1
kind: ClusterProfile
metadata: {name: worker-1}
unread:
- {group: metrics.k8s.io, reason: its APIService is not available}`,
	}
}
