package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/agent/receive"
	"github.com/kratix-schedule/kratix-schedule/internal/daemon"
)

type eventsFlags struct {
	secretFile string
	gitFile    string
	onFailure  failureFlag
}

func (f *eventsFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.secretFile, "events-secret-file", "", "file with the secret that Flux and Argo CD have too, to receive their events at "+
		agent.FluxPath+" and "+agent.ArgoCDPath+" of --listen; without it, and while the file does not exist, no events are received")
	c.Flags().StringVar(&f.gitFile, "git-events-secret-file", "", "file with the secret of the webhooks by which GitHub, GitLab, Gitea or Forgejo report pushes, at "+receive.GitPath+
		" of --listen; a branch that was pushed is read at once. Without it, and while the file does not exist, no webhooks are received")
	c.Flags().Var(&f.onFailure, "on-apply-failure", "what to do when Flux or Argo CD reports that it cannot build or apply a revision: only report it, or rollback, which restores the last applied files of the placement with the failing object, if it is certain which one that is")
}

type failureFlag string

var _ pflag.Value = (*failureFlag)(nil)

const (
	reportFailure failureFlag = "report"
	rollBack      failureFlag = "rollback"
)

func (f *failureFlag) String() string { return string(cmp.Or(*f, reportFailure)) }

func (f *failureFlag) Set(name string) error {
	switch value := failureFlag(name); value {
	case reportFailure, rollBack:
		*f = value
		return nil
	}
	return fmt.Errorf("it is %s or %s", reportFailure, rollBack)
}

func (*failureFlag) Type() string { return "action" }

// checkWriter returns an error if placements are to be rolled back by a process that writes no
// files.
func (f *eventsFlags) checkWriter(schedulesOnly, dryRun bool) error {
	switch {
	case f.onFailure != rollBack:
		return nil
	case schedulesOnly:
		return errors.New("--on-apply-failure rollback writes files, which Kratix does with --schedule-only: leave one of them out")
	case dryRun:
		return errors.New("--on-apply-failure rollback writes files, and --dry-run writes nothing: choose one")
	}
	return nil
}

// configure makes a daemon receive the events and webhooks that the flags request.
func (f *eventsFlags) configure(d *daemon.Daemon, listen string, log *zap.Logger) error {
	if err := f.configureGit(d, listen, log); err != nil {
		return err
	}
	switch {
	case f.secretFile == "" && f.onFailure == rollBack:
		return errors.New("--on-apply-failure rollback needs the events of Flux or Argo CD: give --events-secret-file")
	case f.secretFile == "":
		return nil
	case listen == "":
		return errors.New("--events-secret-file needs an address to receive events at: leave --listen=\"\" out")
	}
	read := tokenFile("events-secret-file", f.secretFile)
	if err := checkSecret(read, "no events of Flux and Argo CD are received until the file of --events-secret-file exists", f.secretFile, log); err != nil {
		return err
	}
	d.EventsSecret, d.Inbox = read, agent.NewInbox()
	d.Reconciler.Policy.RollBack = f.onFailure == rollBack
	return nil
}

func (f *eventsFlags) configureGit(d *daemon.Daemon, listen string, log *zap.Logger) error {
	switch {
	case f.gitFile == "":
		return nil
	case listen == "":
		return errors.New("--git-events-secret-file needs an address to receive webhooks at: leave --listen=\"\" out")
	}
	d.GitEventsSecret = tokenFile("git-events-secret-file", f.gitFile)
	return checkSecret(d.GitEventsSecret, "no webhooks of git hosts are received until the file of --git-events-secret-file exists", f.gitFile, log)
}

// checkSecret returns the error of reading a secret. If the file does not exist, it logs missing
// instead.
func checkSecret(read func() (string, error), missing, file string, log *zap.Logger) error {
	_, err := read()
	if errors.Is(err, fs.ErrNotExist) {
		log.Info(missing, zap.String("file", file))
		return nil
	}
	return err
}
