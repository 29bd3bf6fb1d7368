package sandbox

import (
	"os"
	"time"
)

// orphanCheck is how often a build looks whether anybody still waits for it.
const orphanCheck = 200 * time.Millisecond

// endWithParent ends this process soon after the one that started it has ended.
func endWithParent() {
	parent := os.Getppid()
	go func() {
		for range time.Tick(orphanCheck) {
			if os.Getppid() != parent {
				os.Exit(1) //nolint:forbidigo // a build is a process of its own, whose answer nobody waits for any more
			}
		}
	}()
}
