//go:build !linux

package growth

import "time"

// began is when the process began to measure.
var began = time.Now() //nolint:gochecknoglobals // it never changes

// now returns the time since the process began to measure.
func now() time.Duration { return time.Since(began) }
