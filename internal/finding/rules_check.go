package finding

// UnusedIgnore returns KS027: an ignore matches no finding.
func UnusedIgnore() Rule {
	return Rule{
		ID: "KS027", Name: "UnusedIgnore", Severity: Note,
		Summary: "An ignore matches nothing.",
		Why:     "The problem is solved, or the ignore is misspelt. It would hide the next finding of that rule.",
		Fix:     "Remove the ignore, or correct it.",
	}
}

// InvalidPipeline returns KS028: the directories of a pipeline do not have the form that Kratix
// requires.
func InvalidPipeline() Rule {
	return Rule{
		ID: "KS028", Name: "InvalidPipeline", Severity: Error,
		Summary: "A pipeline's directories do not have the form that Kratix requires, so no Work can be made from them.",
		Why: "Kratix reads input/object.yaml, output/ and metadata/ after a pipeline has run. With content that it does not understand, the " +
			"request fails or the content is silently misread.",
		Fix: "Correct the file that the message names; docs/ci.md shows what the directories must look like.",
	}
}
