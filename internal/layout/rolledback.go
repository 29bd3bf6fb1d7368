package layout

import (
	"slices"
	"unicode/utf8"
)

// MaxRolledBack is the maximum number of rolled-back contents in a record.
const MaxRolledBack = 8

// maxRolledBackMessage is the maximum length of the message of a RolledBack, in bytes.
const maxRolledBackMessage = 1024

// RolledBack describes a content of a placement that was rolled back.
type RolledBack struct {
	// Content is the digest of the content of the Work, if a rollout has written it.
	Content string `json:"content,omitempty" yaml:"content,omitempty"`
	// Files is the digest of the files that were rolled back.
	Files string `json:"files" yaml:"files"`
	// Message is the reason for the rollback, such as the error message of the agent.
	Message string `json:"message,omitempty" yaml:"message,omitempty"`
	// Revision is the revision that could not be applied, as the agent reported it. With a rollout, it
	// identifies the run instead.
	Revision string `json:"revision" yaml:"revision"`
	// Rollout is the name of the Rollout that was given up, or empty without a rollout.
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

// WithRolledBack returns the list with one appended. It removes earlier entries with the same
// digest. If the list is full, it drops the first entry.
func WithRolledBack(list []RolledBack, one RolledBack) []RolledBack {
	list = slices.DeleteFunc(slices.Clone(list), func(r RolledBack) bool { return r.Files == one.Files })
	list = append(list, one)
	return list[max(0, len(list)-MaxRolledBack):]
}
