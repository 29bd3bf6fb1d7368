package bucket

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // see digestcache.go
	"encoding/base64"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// batch is the maximum number of keys in one request that deletes objects.
const batch = 1000

const contentType = "application/yaml"

// carryOut makes the changes of all steps in order, and records them in done.
func (s *Store) carryOut(ctx context.Context, steps []step, done *progress) error {
	checked := false
	for _, step := range steps {
		if step.final && !checked {
			if err := s.stillOurs(ctx); err != nil {
				return err
			}
			checked = true
		}
		if err := s.remember(ctx, step, done); err != nil {
			return err
		}
		if err := s.write(ctx, step.write, done); err != nil {
			return err
		}
		if err := s.remove(ctx, step.remove); err != nil {
			return err
		}
	}
	return nil
}

// write writes files in parallel. It returns one error about the files that the server rejects.
func (s *Store) write(ctx context.Context, files []tree.File, done *progress) error {
	var refused refusals
	err := parallel(ctx, s.parallel, len(files), func(ctx context.Context, i int) error {
		done.touch(files[i].Path)
		err := s.put(ctx, files[i])
		if isContent(err) {
			done.untouched(files[i].Path)
			return refused.add(files[i].Path, err)
		}
		return err
	})
	return cmp.Or(err, refused.err())
}

func (s *Store) put(ctx context.Context, file tree.File) error {
	sum := digestOf(file.Content)
	info, err := s.send(ctx, s.key(file.Path), file.Content, minio.PutObjectOptions{
		ContentType:  contentType,
		UserMetadata: map[string]string{digestKey: hexDigest(sum)},
	})
	if err != nil {
		return err
	}
	s.known.add(file.Path, info.ETag, sum)
	s.cache.put(sum, file.Content)
	return nil
}

// send uploads an object in one part, so that its ETag can be the MD5.
func (s *Store) send(ctx context.Context, key string, content []byte, options minio.PutObjectOptions) (minio.UploadInfo, error) {
	sum := md5.Sum(content) //nolint:gosec // see digestcache.go
	options.DisableContentSha256 = true
	info, err := s.client.PutObject(ctx, s.bucket, key, bytes.NewReader(content), int64(len(content)),
		base64.StdEncoding.EncodeToString(sum[:]), "", options)
	if err != nil {
		return info, actionError{putting, err}
	}
	return info, nil
}

func (s *Store) remove(ctx context.Context, paths []tree.Path) error {
	for some := range slices.Chunk(paths, batch) {
		if err := retryTruncated(ctx, func() error { return s.removeBatch(ctx, some) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) removeBatch(ctx context.Context, paths []tree.Path) error {
	results, err := s.client.RemoveObjectsWithIter(ctx, s.bucket, func(yield func(minio.ObjectInfo) bool) {
		for _, path := range paths {
			if !yield(minio.ObjectInfo{Key: s.key(path)}) {
				return
			}
		}
	}, minio.RemoveObjectsOptions{})
	if err != nil {
		return actionError{deleting, err}
	}
	done := 0
	for result := range results {
		if result.Err != nil {
			return actionError{deleting, result.Err}
		}
		done++
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if done < len(paths) {
		return actionError{deleting, errGarbled}
	}
	return nil
}

// parallel calls do with the numbers from 0 to n-1, at most width at a time, until a call returns
// an error.
func parallel(ctx context.Context, width, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		group sync.WaitGroup
		next  atomic.Int64
		once  sync.Once
		first error
	)
	for range min(width, n) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				err := ctx.Err()
				if err == nil {
					err = do(ctx, i)
				}
				if err != nil {
					once.Do(func() { first = err })
					cancel()
					return
				}
			}
		})
	}
	group.Wait()
	return first
}
