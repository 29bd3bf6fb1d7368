package oci

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// tagDigits is the number of digits of a digest in the tag of an artifact.
const tagDigits = 12

// maxTicket is the maximum ticket in a parsed tag.
const maxTicket = 1 << 30

// announcement is a tag with which a writer announces its artifact.
type announcement struct {
	generation int
	// digits are the first digits of the artifact's digest. They identify the writer.
	digits string
	// ticket is the position of the writer in the queue, or 0 if it has not seen another writer
	// yet.
	ticket int
}

// tag returns the tag, such as "g7-0123456789ab", or "g7-0123456789ab-1" with a ticket.
func (a announcement) tag() string {
	tag := fmt.Sprintf("g%d-%s", a.generation, a.digits)
	if a.ticket > 0 {
		tag += "-" + strconv.Itoa(a.ticket)
	}
	return tag
}

// goesAfter reports whether the writer must wait for a writer with the announcement b.
func (a announcement) goesAfter(b announcement) bool {
	return a.ticket == 0 || b.ticket < a.ticket || b.ticket == a.ticket && b.digits < a.digits
}

// parseTag returns the announcement in a tag, or false for other tags.
func parseTag(tag string) (announcement, bool) {
	rest, isOurs := strings.CutPrefix(tag, "g")
	number, rest, cut := strings.Cut(rest, "-")
	digits, ticket, hasTicket := strings.Cut(rest, "-")
	generation, err := strconv.Atoi(number)
	parsed := announcement{generation: generation, digits: digits}
	if !isOurs || !cut || err != nil || generation <= 0 || len(digits) != tagDigits {
		return announcement{}, false
	}
	if hasTicket {
		parsed.ticket, err = strconv.Atoi(ticket)
	}
	return parsed, err == nil && (parsed.ticket > 0) == hasTicket && parsed.ticket <= maxTicket
}

// publish makes latest refer to an artifact whose blobs are in the repository, and returns all
// tags. It returns ErrStale if another writer has replaced base. The package comment describes the
// algorithm.
func (s *Store) publish(ctx context.Context, made *artifact, manifest []byte, base statestore.Revision) ([]string, error) {
	own := announcement{generation: made.generation, digits: made.digest.Encoded()[:tagDigits]}
	for ignored := now().Add(s.config.Settle); ; {
		announced := now()
		err := s.until(ctx, ignored, func(ctx context.Context) error { return s.pushManifest(ctx, manifest, own.tag()) })
		if err != nil {
			return nil, err
		}
		tags, ticket, err := s.await(ctx, own, base, announced.Add(s.config.Settle/4))
		if err != nil {
			return nil, err
		}
		if ticket == own.ticket {
			return tags, s.until(ctx, announced.Add(s.config.Settle/2), func(ctx context.Context) error { return s.replace(ctx, base, made, manifest) })
		}
		own.ticket, ignored = ticket, announced.Add(s.config.Settle)
	}
}

// now returns the time of the system clock, as contexts use it. Config.Now may be another clock.
func now() time.Time { return time.Now() } //nolint:forbidigo // contexts read the clock themselves

// until calls do with a deadline. It returns a slowError if do fails after the deadline.
func (s *Store) until(ctx context.Context, end time.Time, do func(context.Context) error) error {
	limited, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	err := do(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return slowError(s.config.Settle / 2)
	}
	return err
}

// slowError is the error of a write that was not published in time.
type slowError time.Duration

func (e slowError) Error() string {
	return fmt.Sprintf("the registry has not published the artifact within %s", time.Duration(e))
}

// replace makes latest refer to an artifact instead of base.
func (s *Store) replace(ctx context.Context, base statestore.Revision, made *artifact, manifest []byte) error {
	if err := s.checkLatest(ctx, base); err != nil {
		return err
	}
	if err := s.pushManifest(ctx, manifest, latest); err != nil {
		return err
	}
	return s.checkLatest(ctx, revisionOf(made))
}

// checkLatest returns ErrStale unless latest refers to want.
func (s *Store) checkLatest(ctx context.Context, want statestore.Revision) error {
	found, err := s.resolve(ctx, latest)
	if err == nil && statestore.Revision(found) != want {
		err = statestore.ErrStale
	}
	return err
}

// await waits until no other writer comes before own, and returns all tags. If the writer must
// announce itself again, await returns a new ticket. It returns ErrStale if another writer has
// replaced base.
func (s *Store) await(ctx context.Context, own announcement, base statestore.Revision, end time.Time) ([]string, int, error) {
	const looks = 40
	for {
		asked := now()
		tags, err := s.tags(ctx)
		if err != nil {
			return nil, 0, err
		}
		isFirst, last := s.queue(tags, own, asked)
		if isFirst {
			return tags, own.ticket, nil
		}
		if err := s.checkLatest(ctx, base); err != nil {
			return nil, 0, err
		}
		if own.ticket == 0 || now().After(end) {
			return nil, last + 1, nil
		}
		select {
		case <-time.After(s.config.Settle / looks):
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// queue reports whether no other writer comes before own, and returns the last ticket. It ignores
// announcements that were first seen Config.Settle ago or earlier.
func (s *Store) queue(tags []string, own announcement, asked time.Time) (isFirst bool, last int) {
	newest := map[string]announcement{} // by digits
	last = own.ticket
	for _, tag := range tags {
		found, ok := parseTag(tag)
		if !ok || found.generation != own.generation {
			continue
		}
		last = max(last, found.ticket)
		if known, ok := newest[found.digits]; !ok || known.ticket < found.ticket {
			newest[found.digits] = found
		}
	}
	isFirst = true
	seen := make(map[announcement]time.Time, len(newest))
	for _, found := range newest {
		since, ok := s.seen[found]
		if !ok {
			since = now()
		}
		seen[found] = since
		isIgnored := asked.Sub(since) >= s.config.Settle
		if found.digits != own.digits && !isIgnored && own.goesAfter(found) {
			isFirst = false
		}
	}
	s.seen = seen
	return isFirst, last
}

// maxDeletions is the maximum number of artifacts that are deleted after one write.
const maxDeletions = 20

// retain deletes old artifacts with their signatures. It keeps the newest Config.Keep, and those in
// use. It deletes at most maxDeletions.
func (s *Store) retain(ctx context.Context, tags []string, newest *artifact, inUse []statestore.Revision) {
	deleted := 0
	for _, tag := range tags {
		made, ok := parseTag(tag)
		isUsed := slices.ContainsFunc(inUse, func(r statestore.Revision) bool {
			return strings.HasPrefix(string(r), digest.SHA256.String()+":"+made.digits)
		})
		if !ok || made.generation > newest.generation-s.config.Keep || isUsed || s.noDeletions || deleted == maxDeletions {
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
