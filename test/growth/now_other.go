//go:build !linux

package growth

import "time"

var began = time.Now() //nolint:gochecknoglobals // it never changes

func now() time.Duration { return time.Since(began) }
