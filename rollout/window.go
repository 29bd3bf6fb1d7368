package rollout

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Window is a recurring time in which Destinations may be changed.
type Window struct {
	starts cron.Schedule
	length time.Duration
}

// maxCron bounds the length of a schedule in bytes.
const maxCron = 256

// newWindow parses a window. It accepts only the five fields of cron, because the library panics on
// some other texts.
func newWindow(w *kratix.RolloutWindow) (Window, error) {
	if len(w.Start) > maxCron || strings.ContainsAny(w.Start, "=@") || len(strings.Fields(w.Start)) != 5 {
		return Window{}, errors.New("start must have the five fields of cron, such as \"0 22 * * 1-5\"")
	}
	parsed, err := cron.ParseStandard(w.Start)
	if err != nil {
		return Window{}, fmt.Errorf("start: %w", err)
	}
	zone := time.UTC
	if w.TimeZone != "" {
		if zone, err = time.LoadLocation(w.TimeZone); err != nil || w.TimeZone == "Local" {
			return Window{}, fmt.Errorf("timeZone: %q is not known; use a name like Europe/Berlin", w.TimeZone)
		}
	}
	if schedule, is := parsed.(*cron.SpecSchedule); is {
		schedule.Location = zone
	}
	length, err := duration("duration", w.Duration, 0)
	if err == nil && length < time.Minute {
		err = errors.New("duration must be at least 1m")
	}
	return Window{parsed, length}, err
}

// isOpen reports whether a time is in the window.
func (w Window) isOpen(now time.Time) bool {
	start := w.starts.Next(now.Add(-w.length))
	return !start.IsZero() && !start.After(now)
}

// opens reports whether one of the windows is open, or there are none. Otherwise next is the time
// at which the next window opens, or zero if none ever does.
func opens(windows []Window, now time.Time) (isOpen bool, next time.Time) {
	if len(windows) == 0 {
		return true, next
	}
	for _, w := range windows {
		if w.isOpen(now) {
			return true, time.Time{}
		}
		next = earlier(next, w.starts.Next(now))
	}
	return false, next
}

// earlier returns the earlier of two times, where the zero time means none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
