package finding

// UnsupportedVersion returns KS031: a Kratix object has an unsupported version.
func UnsupportedVersion() Rule {
	return Rule{
		ID: "KS031", Name: "UnsupportedVersion", Severity: Error,
		Summary: "An object of platform.kratix.io has a version that cannot be read.",
		Why: "Its fields may mean something else in that version, so it is not used. It exists nevertheless: if it is a Work, its placements stay, " +
			"and if it is a Destination, requests that may be on it wait.",
		Fix: "Use platform.kratix.io/v1alpha1, or a version of kratix-schedule that supports the other one.",
	}
}

// UnreadDirectory returns KS032: a subdirectory of an input is not read.
func UnreadDirectory() Rule {
	return Rule{
		ID: "KS032", Name: "UnreadDirectory", Severity: Note,
		Summary: "A directory of the input has sub-directories that are not read.",
		Why: "Without -R only the files directly in a directory are read. Works in a sub-directory are neither checked nor placed, " +
			"and look like Works that were removed.",
		Fix: "Add -R to read them, or leave them out with --exclude.",
	}
}
