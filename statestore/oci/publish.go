package oci

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// tagDigits is the number of digits of a digest in the tag of an artifact.
const tagDigits = 12

// tagOf returns the tag of an artifact, such as "g7-0123456789ab". A writer that announces its
// artifact once more uses another tag, so that others can tell the announcements apart.
func tagOf(generation int, of digest.Digest, attempt int) string {
	tag := fmt.Sprintf("g%d-%s", generation, of.Encoded()[:tagDigits])
	if attempt > 0 {
		tag += "-" + strconv.Itoa(attempt)
	}
	return tag
}

// parseTag returns the generation and the digits in the tag of an artifact. It returns false for all
// other tags.
func parseTag(tag string) (generation int, digits string, ok bool) {
	rest, isOurs := strings.CutPrefix(tag, "g")
	number, rest, cut := strings.Cut(rest, "-")
	digits, _, _ = strings.Cut(rest, "-")
	generation, err := strconv.Atoi(number)
	return generation, digits, isOurs && cut && err == nil && len(digits) == tagDigits && generation > 0
}

// publish lets latest refer to an artifact whose blobs are in the repository. It returns all tags. It
// returns ErrStale if another writer has replaced base.
func (s *Store) publish(ctx context.Context, made *artifact, manifest []byte, base statestore.Revision) ([]string, error) {
	for attempt := 0; ; attempt++ {
		tag := tagOf(made.generation, made.digest, attempt)
		tags, others, err := s.announced(ctx, tag, made, manifest)
		if err != nil || len(others) == 0 {
			s.abandoned = slices.DeleteFunc(s.abandoned, func(tag string) bool { return err == nil && !slices.Contains(tags, tag) })
			return tags, err
		}
		if err := s.remove(ctx, tag); err != nil && ctx.Err() != nil {
			return nil, err
		}
		gone, err := s.await(ctx, others, base)
		if err != nil {
			return nil, err
		}
		if !gone {
			s.abandoned = append(s.abandoned, others...)
		}
		s.abandoned = append(s.abandoned, tag) // the registry may be unable to delete tags
	}
}

// announced announces an artifact, and lets latest refer to it if no other writer has announced one.
// Otherwise it returns the tags of the others. Abandoned announcements do not count.
func (s *Store) announced(ctx context.Context, tag string, made *artifact, manifest []byte) (tags, others []string, err error) {
	section, cancel := context.WithTimeout(ctx, s.config.Settle/2)
	defer cancel()
	defer func() {
		if err != nil && section.Err() != nil && ctx.Err() == nil {
			err = slowError(s.config.Settle / 2)
		}
	}()
	if err := s.pushManifest(section, manifest, tag); err != nil {
		return nil, nil, err
	}
	tags, err = s.tags(section)
	if err != nil {
		return nil, nil, err
	}
	if others = announcements(tags, made.generation, append(slices.Clip(s.abandoned), tag)); len(others) > 0 {
		return tags, others, nil
	}
	if err := s.pushManifest(section, manifest, latest); err != nil {
		return nil, nil, err
	}
	found, err := s.resolve(section, latest)
	if err == nil && found != made.digest {
		err = statestore.ErrStale
	}
	return tags, nil, err
}

// slowError is the error of a write that was not finished within this time after its announcement.
type slowError time.Duration

func (e slowError) Error() string {
	return fmt.Sprintf("the registry has not published the artifact within %s", time.Duration(e))
}

// announcements returns the tags with a generation or a later one, except some.
func announcements(tags []string, generation int, except []string) []string {
	var found []string
	for _, tag := range tags {
		if n, _, ok := parseTag(tag); ok && n >= generation && !slices.Contains(except, tag) {
			found = append(found, tag)
		}
	}
	return found
}

// await waits until the announcements of others are gone. It returns false if one of them is still
// there after Config.Settle. It returns ErrStale if another writer has replaced base.
func (s *Store) await(ctx context.Context, others []string, base statestore.Revision) (gone bool, err error) {
	const looks = 20
	settled := time.NewTimer(s.config.Settle)
	defer settled.Stop()
	for {
		isSettled := false
		// Two writers should not announce themselves at the same time again.
		pause := s.config.Settle/looks/4 + rand.N(s.config.Settle/looks) //nolint:gosec // not a secret
		select {
		case <-time.After(pause):
		case <-settled.C:
			isSettled = true
		case <-ctx.Done():
			return false, ctx.Err()
		}
		found, err := s.resolve(ctx, latest)
		if err != nil {
			return false, err
		}
		if statestore.Revision(found) != base {
			return false, statestore.ErrStale
		}
		tags, err := s.tags(ctx)
		if err != nil {
			return false, err
		}
		isThere := func(tag string) bool { return slices.Contains(tags, tag) }
		if !slices.ContainsFunc(others, isThere) {
			return true, nil
		}
		if isSettled {
			return false, nil
		}
	}
}

// maxDeletions bounds the artifacts that are deleted after one write.
const maxDeletions = 20

// retain deletes artifacts that are older than the newest Config.Keep ones, with their signatures. It
// keeps those that agents use. What is left is deleted after later writes, unless the registry does
// not allow deletions.
func (s *Store) retain(ctx context.Context, tags []string, newest *artifact, inUse []statestore.Revision) {
	deleted := 0
	for _, tag := range tags {
		generation, digits, ok := parseTag(tag)
		isUsed := slices.ContainsFunc(inUse, func(r statestore.Revision) bool {
			return strings.HasPrefix(string(r), digest.SHA256.String()+":"+digits)
		})
		if !ok || generation > newest.generation-s.config.Keep || isUsed || s.noDeletions || deleted == maxDeletions {
			continue
		}
		deleted++
		if err := s.discard(ctx, tag, newest); err != nil {
			if isUnsupported(err) {
				s.noDeletions = true
				s.notice("the registry does not delete artifacts: let it delete those that are older than needed")
			}
			return
		}
	}
}

// discard deletes the artifact with a tag and its signature.
func (s *Store) discard(ctx context.Context, tag string, newest *artifact) error {
	of, err := s.resolve(ctx, tag)
	if err != nil || of == "" || of == newest.digest {
		return err
	}
	signature, err := s.resolve(ctx, signatureTag(of))
	if err == nil && signature != "" {
		err = s.remove(ctx, signature.String())
	}
	return errors.Join(err, s.remove(ctx, of.String()))
}

func (s *Store) notice(text string) {
	if s.config.Notify != nil {
		s.config.Notify(s.config.Name + ": " + text)
	}
}
