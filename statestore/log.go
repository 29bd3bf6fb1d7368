package statestore

import (
	"context"
	"errors"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// LogReader is a store that can list its earlier revisions.
type LogReader interface {
	// Log returns the newest revisions, the newest first. The parameter most is their maximum
	// number.
	Log(ctx context.Context, most int) (Log, error)
}

// PastReader is a store that can read single files of earlier revisions.
type PastReader interface {
	// FileAt returns the content of a file at a revision, and whether the store had the file. It
	// fails with ErrUnknownRevision if the revision is not known.
	FileAt(ctx context.Context, revision Revision, path tree.Path) (content []byte, exists bool, err error)
}

// Log is a part of the history of a store.
type Log struct {
	// Entries are the revisions, the newest first.
	Entries []LogEntry
	// More means that there are or may be older revisions.
	More bool
	// Warnings are reasons why the log is incomplete.
	Warnings []string
}

// LogEntry is one revision of a store. Its texts may come from other writers.
type LogEntry struct {
	Revision Revision
	// Parent is the previous revision, or empty if there is none or it is not known.
	Parent Revision
	Time   time.Time
	// Author and Committer are names with an address, or empty.
	Author, Committer string
	// Message is the message of a commit.
	Message string
	// Files are the files that the revision wrote or removed, without records. They may be unknown.
	Files []tree.Path
}

// ErrNoLog means that a store cannot list its earlier revisions.
var ErrNoLog = errors.New("the store does not list earlier revisions")

// ReadLog returns the newest revisions of a store. It fails with ErrNoLog if the store cannot list
// them.
func ReadLog(ctx context.Context, store Store, most int) (Log, error) {
	if reader, ok := ViewOf("", store).Store.(LogReader); ok {
		return reader.Log(ctx, most)
	}
	return Log{}, ErrNoLog
}

// FileAt returns the content of a file at a revision, and whether the store had the file. It fails
// with ErrUnknownRevision if the store cannot read single files of a revision.
func FileAt(ctx context.Context, store Store, revision Revision, path tree.Path) (content []byte, exists bool, err error) {
	if reader, ok := ViewOf("", store).Store.(PastReader); ok {
		return reader.FileAt(ctx, revision, path)
	}
	return nil, false, ErrUnknownRevision
}
