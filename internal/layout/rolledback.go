package layout

import (
	"slices"
	"unicode/utf8"
)

// MaxRolledBack bounds the number of undone contents that a record lists.
const MaxRolledBack = 8

// maxRolledBackMessage bounds the message of a RolledBack, in bytes.
const maxRolledBackMessage = 1024

// RolledBack is a content of a placement that was undone because the agent of its Destination
// could not apply it.
type RolledBack struct {
	// Files is the digest of the files.
	Files string `json:"files"`
	// Revision is the revision that could not be applied, as the agent names it.
	Revision string `json:"revision"`
	// Message has the agent's words.
	Message string `json:"message,omitempty"`
}

// NewRolledBack returns the RolledBack of files with a digest. A long message is shortened.
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

// WithRolledBack returns a list with another content at its end, in the place of an equal one. If
// the list is full, the first one is dropped.
func WithRolledBack(list []RolledBack, one RolledBack) []RolledBack {
	list = slices.DeleteFunc(slices.Clone(list), func(r RolledBack) bool { return r.Files == one.Files })
	list = append(list, one)
	return list[max(0, len(list)-MaxRolledBack):]
}
