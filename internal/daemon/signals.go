package daemon

import (
	"os"
	"os/signal"
	"syscall"
)

// refreshSignals returns a channel that receives SIGHUP. forget stops the delivery.
func refreshSignals() (look <-chan os.Signal, forget func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return signals, func() { signal.Stop(signals) }
}
