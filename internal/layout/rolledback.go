package layout

import (
	"slices"
	"unicode/utf8"
)

// MaxRolledBack is the maximum number of rolled-back contents in a record.
const MaxRolledBack = 8

// maxRolledBackMessage is the maximum size of the message of a RolledBack, in bytes.
const maxRolledBackMessage = 1024

// RolledBack describes a content of a placement that was rolled back because the agent of the
// Destination could not apply it.
type RolledBack struct {
	// Content is the digest of the content of the Work, if a rollout has written it.
	Content string `json:"content,omitempty" yaml:"content,omitempty"`
	// Files is the digest of the files that were rolled back.
	Files string `json:"files" yaml:"files"`
	// Message is the error message of the agent.
	Message string `json:"message,omitempty" yaml:"message,omitempty"`
	// Revision is the revision that could not be applied, as the agent reported it.
	Revision string `json:"revision" yaml:"revision"`
	// Rollout is the name of the Rollout that was given up. It is empty if the files were rolled
	// back only here.
	Rollout string `json:"rollout,omitempty" yaml:"rollout,omitempty"`
}

// NewRolledBack returns a RolledBack with a message of limited length. files is the digest of the
// files that were rolled back.
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

// WithRolledBack returns the list with one appended. It removes an earlier entry with the same
// digest. If the list is full, it drops the first entry.
func WithRolledBack(list []RolledBack, one RolledBack) []RolledBack {
	list = slices.DeleteFunc(slices.Clone(list), func(r RolledBack) bool { return r.Files == one.Files })
	list = append(list, one)
	return list[max(0, len(list)-MaxRolledBack):]
}
