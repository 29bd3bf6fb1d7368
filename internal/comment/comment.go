// Package comment writes a report in Markdown as the comment of a pull request of GitHub or a merge
// request of GitLab.
package comment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Comment is a comment that the owner of the token has written.
type Comment struct {
	ID   int64
	Body string
}

// Thread reads and writes the comments of one pull request.
type Thread interface {
	// Own returns the comments with a marker that the owner of the token has written, the oldest
	// first.
	Own(ctx context.Context, marker string) ([]Comment, error)
	// Write replaces the text of a comment, or adds a comment if the ID is 0. It returns the ID.
	Write(ctx context.Context, id int64, body string) (int64, error)
	// Delete removes a comment. It returns no error if the comment does not exist.
	Delete(ctx context.Context, id int64) error
}

// Outcome is the result of a Post.
type Outcome struct {
	// Did is "created", "replaced" or, if the comment has the text of a newer run, "kept".
	Did string
	ID  int64
}

// attempts is the maximum number of attempts to post. Another run may delete the comment during an
// attempt.
const attempts = 3

var errGone = errors.New("the comment to replace is gone")

// Post makes a text the only comment with its marker. The text of a newer run is kept.
func Post(ctx context.Context, thread Thread, text Text) (Outcome, error) {
	var outcome Outcome
	var err error
	for range attempts {
		if outcome, err = post(ctx, thread, text); !errors.Is(err, errGone) {
			break
		}
	}
	return outcome, err
}

func post(ctx context.Context, thread Thread, text Text) (Outcome, error) {
	existing, err := thread.Own(ctx, text.Marker)
	if err != nil {
		return Outcome{}, err
	}
	if len(existing) > 0 {
		return settle(ctx, thread, text, existing)
	}
	id, err := thread.Write(ctx, 0, text.Body())
	if err != nil {
		return Outcome{}, err
	}
	// Another run may have added a comment since.
	existing, err = thread.Own(ctx, text.Marker)
	if err != nil {
		return Outcome{"created", id}, fmt.Errorf("the comment is written, but another run may have written one, too: %w", err)
	}
	if len(existing) > 1 {
		return settle(ctx, thread, text, existing)
	}
	return Outcome{"created", id}, nil
}

func settle(ctx context.Context, thread Thread, text Text, existing []Comment) (Outcome, error) {
	outcome, body := Outcome{"replaced", existing[0].ID}, text.Body()
	newest := slices.MaxFunc(existing, func(a, b Comment) int { return cmp.Compare(runOf(a.Body), runOf(b.Body)) })
	if runOf(newest.Body) > text.Run {
		outcome.Did, body = "kept", newest.Body
	}
	if !isSame(existing[0].Body, body) {
		if _, err := thread.Write(ctx, outcome.ID, body); err != nil {
			return Outcome{}, err
		}
	}
	for _, other := range existing[1:] {
		if err := thread.Delete(ctx, other.ID); err != nil {
			return outcome, fmt.Errorf("the comment is written, but another one of this program remains: %w", err)
		}
	}
	return outcome, nil
}
