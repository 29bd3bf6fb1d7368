//go:build !linux

package growth

import "time"

// began is the start of this process.
var began = time.Now() //nolint:gochecknoglobals // it never changes

// now returns the time since the start of this process.
func now() time.Duration { return time.Since(began) }
