package finding

// Cause distinguishes failures under the same rule, for programs.
type Cause string

// The causes of a failed store.
const (
	// SecretMissing means that the Secret of the store does not exist.
	SecretMissing Cause = "its Secret is missing"
	// Unopened means that the configuration or the Secret of the store is invalid.
	Unopened Cause = "it cannot be opened"
	// Unreadable means that the store cannot be read.
	Unreadable Cause = "it cannot be read"
	// Refused means that the store can be read, but rejects writes.
	Refused Cause = "it refuses to be written"
	// Unwritten means that the store can be read, but a write failed for another reason.
	Unwritten Cause = "a write failed"
)

// NoObject is the cause for a document that is YAML but not a Kubernetes object.
const NoObject Cause = "it is not a Kubernetes object"

// TooLarge is the cause for content that is too large to be unpacked.
const TooLarge Cause = "it is too large"

// The causes for a missing namespace.
const (
	// NamespaceUnset is the cause for a namespaced object without a namespace.
	NamespaceUnset Cause = "it has no namespace"
	// NamespaceUnknown is the cause for a namespace that probably does not exist.
	NamespaceUnknown Cause = "nothing creates the namespace"
)
