package sandbox

import (
	"os"
	"time"
)

// orphanCheck is the interval at which a build checks whether its parent is still running.
const orphanCheck = 200 * time.Millisecond

// endWithParent ends this process soon after its parent process.
func endWithParent() {
	parent := os.Getppid()
	go func() {
		for range time.Tick(orphanCheck) {
			if os.Getppid() != parent {
				os.Exit(1) //nolint:forbidigo // nobody reads the result any more
			}
		}
	}()
}
