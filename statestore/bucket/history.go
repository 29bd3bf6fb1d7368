package bucket

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

var (
	_ statestore.LogReader  = (*Store)(nil)
	_ statestore.PastReader = (*Store)(nil)
)

// maxMarker is the maximum size in bytes of a marker that is read. maxPastFile is that of an
// earlier version of a file.
const (
	maxMarker   = 32 << 20
	maxPastFile = 16 << 20
)

// unversioned is the version of an object in a bucket that keeps no versions.
const unversioned = "null"

// Log returns the newest writes that the versions of the marker describe. The parameter most is
// their maximum number.
func (s *Store) Log(ctx context.Context, most int) (statestore.Log, error) {
	versions, more, err := s.versionsOf(ctx, s.prefix+markerName, min(2*most+1, maxVersions))
	if err != nil {
		return statestore.Log{}, s.failure("read", err)
	}
	log := statestore.Log{More: more}
	if len(versions) > 0 && (versions[0].VersionID == "" || versions[0].VersionID == unversioned) {
		log.Warnings = append(log.Warnings, "the bucket keeps no versions; enable versioning to keep a history")
	}
	journals := make([]journal, len(versions))
	err = parallel(ctx, s.parallel, len(versions), func(ctx context.Context, i int) error {
		var err error
		journals[i], err = s.journalOf(ctx, &versions[i])
		return err
	})
	if err != nil {
		return statestore.Log{}, s.failure("read", err)
	}
	for i := 0; i < len(versions); i++ {
		if len(log.Entries) == most {
			log.More = true
			break
		}
		version := versions[i]
		entry := statestore.LogEntry{
			Revision: newMarker(version.ETag, version.VersionID, journal{}).revision, Time: version.LastModified,
		}
		// Two versions of one Apply make one entry.
		if !journals[i].open && i+1 < len(versions) && journals[i+1].open {
			i++
		}
		for _, n := range journals[i].names {
			entry.Files = append(entry.Files, n.path)
		}
		if n := len(log.Entries); n > 0 {
			log.Entries[n-1].Parent = entry.Revision
		}
		log.Entries = append(log.Entries, entry)
	}
	return log, nil
}

func (s *Store) journalOf(ctx context.Context, version *minio.ObjectInfo) (journal, error) {
	if version.IsDeleteMarker || version.Size > maxMarker {
		return journal{}, nil
	}
	content, err := s.readPast(ctx, s.prefix+markerName, version.VersionID, maxMarker)
	if isMissing(err) {
		return journal{}, nil // the version was removed after it was listed
	}
	return parseJournal(content), err
}

func (s *Store) versionsOf(ctx context.Context, key string, most int) (versions []minio.ObjectInfo, more bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for info := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: key, WithVersions: true, Recursive: true}) {
		switch {
		case info.Err != nil:
			return nil, false, actionError{showing, info.Err}
		case info.Key != key:
			return versions, false, nil
		case len(versions) == most:
			return versions, true, nil
		}
		versions = append(versions, info)
	}
	return versions, false, nil
}

// FileAt returns the newest version of a file that is not newer than a revision.
func (s *Store) FileAt(ctx context.Context, revision statestore.Revision, path tree.Path) (content []byte, exists bool, err error) {
	until, err := s.timeOf(ctx, revision)
	if err != nil {
		return nil, false, err
	}
	versions, more, err := s.versionsOf(ctx, s.key(path), maxVersions)
	if err != nil {
		return nil, false, s.failure("read", err)
	}
	for i := range versions {
		version := &versions[i]
		if version.LastModified.After(until) {
			continue
		}
		if version.IsDeleteMarker {
			return nil, false, nil
		}
		content, err := s.readPast(ctx, version.Key, version.VersionID, maxPastFile)
		if err != nil {
			return nil, false, s.failure("read", err)
		}
		return content, true, nil
	}
	if more {
		why := fmt.Errorf("%w: %s has more than %d newer versions", statestore.ErrUnknownRevision, path, maxVersions)
		return nil, false, &statestore.Error{Op: "read", Store: s.name, Err: why}
	}
	return nil, false, nil
}

func (s *Store) timeOf(ctx context.Context, revision statestore.Revision) (time.Time, error) {
	versions, _, err := s.versionsOf(ctx, s.prefix+markerName, maxVersions)
	if err != nil {
		return time.Time{}, s.failure("read", err)
	}
	for _, version := range versions {
		if newMarker(version.ETag, version.VersionID, journal{}).revision == revision {
			return version.LastModified, nil
		}
	}
	return time.Time{}, &statestore.Error{Op: "read", Store: s.name, Err: statestore.ErrUnknownRevision}
}

func (s *Store) readPast(ctx context.Context, key, version string, most int64) ([]byte, error) {
	var content []byte
	options := minio.GetObjectOptions{}
	if version != unversioned {
		options.VersionID = version
	}
	err := retryTruncated(ctx, func() error {
		body, info, _, err := s.client.GetObject(ctx, s.bucket, key, options)
		if err != nil {
			return actionError{getting, err}
		}
		defer body.Close()
		if info.Size > most {
			return fmt.Errorf("%s has %d bytes, more than the %d that are read of an earlier version", key, info.Size, most)
		}
		if content, err = io.ReadAll(io.LimitReader(body, most)); err != nil {
			return actionError{getting, err}
		}
		return nil
	})
	return content, err
}
