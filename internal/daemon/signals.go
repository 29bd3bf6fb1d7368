package daemon

import (
	"os"
	"os/signal"
	"syscall"
)

// lookSignals says when the user wants a round now: kill -HUP.
func lookSignals() (look <-chan os.Signal, forget func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return signals, func() { signal.Stop(signals) }
}
