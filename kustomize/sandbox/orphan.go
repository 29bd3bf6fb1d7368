package sandbox

import (
	"os"
	"time"
)

// orphanCheck is the interval at which a build process checks whether its parent process is
// running.
const orphanCheck = 200 * time.Millisecond

// endWithParent starts a goroutine that ends this process soon after its parent process has ended.
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
