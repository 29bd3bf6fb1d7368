package finding

// Cause says for programs what failed, where a rule is about what can fail in
// several ways.
type Cause string

// The causes of a store's failure.
const (
	// SecretMissing: the Secret that the store names is not there.
	SecretMissing Cause = "its Secret is missing"
	// Unopened: what describes it, or the Secret, cannot work.
	Unopened Cause = "it cannot be opened"
	// Unreadable: it cannot be read.
	Unreadable Cause = "it cannot be read"
	// Refused: it can be read, and refuses to be written.
	Refused Cause = "it refuses to be written"
	// Unwritten: it can be read, and a write failed for another reason.
	Unwritten Cause = "a write failed"
)

// NoObject is the cause of a document of the input that is YAML, but no
// Kubernetes object.
const NoObject Cause = "it is no Kubernetes object"

// TooLarge is the cause of content that is not unpacked, though it may be in order.
const TooLarge Cause = "it is too large"
