package finding

// UnusedIgnore returns KS027: an ignore comment has no effect any more.
func UnusedIgnore() Rule {
	return Rule{
		ID: "KS027", Name: "UnusedIgnore", Severity: Note,
		Summary: "An ignore matches nothing.",
		Why:     "What it was for is mended, or it is misspelt. Left in place it would hide the next finding of that rule.",
		Fix:     "Remove the ignore, or correct it.",
	}
}

// InvalidPipeline returns KS028: Kratix would reject the output of a pipeline.
func InvalidPipeline() Rule {
	return Rule{
		ID: "KS028", Name: "InvalidPipeline", Severity: Error,
		Summary: "A pipeline's directories are not as Kratix wants them, so no Work can be made of them.",
		Why: "Kratix reads input/object.yaml, output/ and metadata/ after a pipeline has run. What it does not understand there either fails the " +
			"request or is silently taken for something else.",
		Fix: "Correct the file that the message names; docs/ci.md shows how the directories must look.",
	}
}
