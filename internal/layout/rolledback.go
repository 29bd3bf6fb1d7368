package layout

import (
	"slices"
	"unicode/utf8"
)

// MaxRolledBack is the maximum number of undone contents in a record.
const MaxRolledBack = 8

// maxRolledBackMessage is the maximum size of the message of a RolledBack, in bytes.
const maxRolledBackMessage = 1024

// RolledBack is a content of a placement that was undone because the agent of its Destination could
// not apply it.
type RolledBack struct {
	// Files is the digest of the files.
	Files string `json:"files"`
	// Revision is the revision that could not be applied, in the agent's notation.
	Revision string `json:"revision"`
	// Message is the message of the agent.
	Message string `json:"message,omitempty"`
}

// NewRolledBack returns a RolledBack; files is the digest of the undone files. It shortens a long
// message.
func NewRolledBack(files, revision, message string) RolledBack {
	if len(message) > maxRolledBackMessage {
		end := maxRolledBackMessage
		for !utf8.RuneStart(message[end]) {
			end--
		}
		message = message[:end] + "…"
	}
	return RolledBack{Files: files, Revision: revision, Message: message}
}

// WithRolledBack appends a content to a list, and removes an earlier content with the same digest.
// If the list is full, the first content is dropped.
func WithRolledBack(list []RolledBack, one RolledBack) []RolledBack {
	list = slices.DeleteFunc(slices.Clone(list), func(r RolledBack) bool { return r.Files == one.Files })
	list = append(list, one)
	return list[max(0, len(list)-MaxRolledBack):]
}
