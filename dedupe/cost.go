package dedupe

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// A kustomize build of measuredObjects objects took measuredSeconds. The time of a build grows with
// the square of the number of objects. A build of slowSeconds or more is reported.
const (
	measuredObjects = 8_000
	measuredSeconds = 14
	slowSeconds     = 30
)

func checkCost(root *Root, of counts) []finding.Finding {
	seconds := buildSeconds(of.objects)
	if seconds < slowSeconds {
		return nil
	}
	return []finding.Finding{{
		Rule: finding.SlowBuild(), Place: finding.Place{File: root.Path.String()},
		Message: fmt.Sprintf("%d objects in %.1f MiB; one build takes Flux about %d s", of.objects, float64(of.bytes)/(1<<20), seconds),
	}}
}

// buildSeconds estimates the time in seconds of a build.
func buildSeconds(objects int) int {
	return objects * objects / (measuredObjects * measuredObjects / measuredSeconds)
}
