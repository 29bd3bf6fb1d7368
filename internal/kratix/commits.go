package kratix

import (
	"fmt"
	"strconv"
)

// CommitsPerMinuteAnnotation is an annotation of a state store. Its value is the maximum number of
// commits per minute to the store's branch or bucket. 0 means no maximum.
const CommitsPerMinuteAnnotation = "kratix-schedule.io/commits-per-minute"

// MaxCommitsPerMinute is the largest value of CommitsPerMinuteAnnotation.
const MaxCommitsPerMinute = 6000

// CommitsPerMinute returns the value of CommitsPerMinuteAnnotation. set is false if the state store
// does not have the annotation, or if its value is invalid, which is an error.
func CommitsPerMinute(store Object) (limit int, set bool, err error) {
	text, ok := store.GetAnnotations()[CommitsPerMinuteAnnotation]
	if !ok {
		return 0, false, nil
	}
	limit, err = strconv.Atoi(text)
	if err != nil || limit < 0 || limit > MaxCommitsPerMinute {
		return 0, false, fmt.Errorf("the annotation %s is %q and must be a whole number from 0 to %d; until then the default applies", CommitsPerMinuteAnnotation, text, MaxCommitsPerMinute)
	}
	return limit, true, nil
}

// IsRemote reports whether the repository is on a server, and not in a local directory.
func (s *GitStateStore) IsRemote() bool {
	parsed, err := ParseGitURL(s.Spec.URL)
	return err == nil && parsed.Scheme != "file"
}
