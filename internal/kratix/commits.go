package kratix

import (
	"fmt"
	"strconv"
)

// CommitsPerMinuteAnnotation is the annotation for the maximum number of commits per minute to a
// state store. 0 means no maximum.
const CommitsPerMinuteAnnotation = "kratix-schedule.io/commits-per-minute"

// MaxCommitsPerMinute is the largest value of CommitsPerMinuteAnnotation.
const MaxCommitsPerMinute = 6000

// CommitsPerMinute returns the value of CommitsPerMinuteAnnotation. set is false if there is no
// valid value; an invalid value is an error.
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

// IsRemote reports whether the URL is valid and does not name a local directory.
func (s *GitStateStore) IsRemote() bool {
	parsed, err := ParseGitURL(s.Spec.URL)
	return err == nil && parsed.Scheme != "file"
}
