package main

import (
	"errors"
	"io/fs"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/daemon"
)

// eventsFlags are the flags for the events of Flux and Argo CD.
type eventsFlags struct{ secretFile string }

func (f *eventsFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.secretFile, "events-secret-file", "", "file with the secret that Flux and Argo CD have too, to receive their events at "+
		agent.FluxPath+" and "+agent.ArgoCDPath+" of --listen; without it, and while the file does not exist, no events are received")
}

// configure lets a daemon receive events, if the flag is set. The file may change while the
// process runs, and may not exist yet.
func (f *eventsFlags) configure(d *daemon.Daemon, listen string, log *zap.Logger) error {
	switch {
	case f.secretFile == "":
		return nil
	case listen == "":
		return errors.New("--events-secret-file needs an address to receive events at: leave --listen=\"\" out")
	}
	read := tokenFile("events-secret-file", f.secretFile)
	switch _, err := read(); {
	case errors.Is(err, fs.ErrNotExist):
		log.Info("no events of Flux and Argo CD are received until the file of --events-secret-file exists", zap.String("file", f.secretFile))
	case err != nil:
		return err
	}
	d.EventsSecret, d.Inbox = read, agent.NewInbox()
	return nil
}
