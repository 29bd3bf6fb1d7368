package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/daemon"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/telemetry"
	"github.com/kratix-schedule/kratix-schedule/statestore/throttle"
)

type followFlags struct {
	interval  time.Duration
	listen    string
	page      pageFlag
	admin     string
	events    eventsFlags
	profile   bool
	logLevel  string
	logFormat string
	shutdown  time.Duration
	commits   int
}

func (f *followFlags) add(c *cobra.Command) {
	c.Flags().DurationVar(&f.interval, "interval", 5*time.Minute, "do a round at least this often, and revert what others have changed")
	c.Flags().IntVar(&f.commits, "commits-per-minute", throttle.DefaultPerMinute, "most commits to one repository on a git server per minute; further changes wait for the next one and share it. 0 for no limit, and none of registries either, which get at most 300 artifacts per minute otherwise. "+
		"The annotation "+kratix.CommitsPerMinuteAnnotation+" of a state store has precedence. It has no effect with --once")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8080", "address for the page, /healthz, /readyz, /metrics and /api/v1/report; none if empty")
	f.page.add(c)
	c.Flags().StringVar(&f.admin, "admin-token-file", "", "file with the token that permits changing the log level with PUT /log-level, as Authorization: Bearer TOKEN; without it the level cannot be changed")
	f.events.add(c)
	c.Flags().BoolVar(&f.profile, "pprof", false, "serve /debug/pprof at the address of --listen too")
	c.Flags().StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error; PUT /log-level changes it later, see --admin-token-file")
	c.Flags().StringVar(&f.logFormat, "log-format", "json", "json or console")
	c.Flags().DurationVar(&f.shutdown, "shutdown-timeout", 30*time.Second, "how long a write in progress may take after the process receives a signal to stop")
}

func (f followFlags) at(c *cobra.Command, volume report.Volume) followFlags {
	switch {
	case c.Flags().Changed("log-level"):
	case volume == report.Quiet:
		f.logLevel = "warn"
	case volume == report.Verbose:
		f.logLevel = "debug"
	}
	return f
}

func follow(c *cobra.Command, d *daemon.Daemon, flags followFlags, std streams) error {
	log, level, err := logger(flags, std)
	if err != nil {
		return usage(c, err.Error())
	}
	if flags.interval <= 0 {
		return usage(c, "--interval must be more than 0")
	}
	if flags.commits < 0 || flags.commits > kratix.MaxCommitsPerMinute {
		return usage(c, fmt.Sprintf("--commits-per-minute must be from 0 to %d", kratix.MaxCommitsPerMinute))
	}
	ctx := c.Context()
	if d.AdminToken, err = adminToken(flags.admin); err != nil {
		return usage(c, err.Error())
	}
	if err := flags.events.configure(d, flags.listen, log); err != nil {
		return usage(c, err.Error())
	}
	traces, err := telemetry.NewTraces(ctx, version, log)
	if err != nil {
		return usage(c, err.Error())
	}
	defer closeTraces(ctx, traces)
	d.CommitsPerMinute = flags.commits
	d.Interval, d.Shutdown, d.Version, d.Now = flags.interval, flags.shutdown, version, time.Now
	d.Log, d.Level, d.Traces, d.Profile = log, level, traces, flags.profile
	d.Listen = func(ctx context.Context) (net.Listener, error) {
		return listen(ctx, flags.listen, c.Flags().Changed("listen"), log)
	}
	flags.page.configure(d, flags.listen)
	return inputError(d.Run(ctx))
}

// listen returns the listener for HTTP, or nil if there is none. If chosen is false, an unusable
// address is logged and is not an error.
func listen(ctx context.Context, address string, chosen bool, log *zap.Logger) (net.Listener, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // no listener is requested
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return listener, nil
	case chosen:
		return nil, exit{code: exitUsage, text: "--listen: " + err.Error()}
	}
	log.Warn("not listening", zap.Error(err), zap.String("fix", "Choose an address with --listen, or none with --listen=\"\"."))
	return nil, nil //nolint:nilnil // there is none
}

// adminToken returns a function that reads the token from a file, or nil if file is empty.
func adminToken(file string) (func() (string, error), error) {
	if file == "" {
		return nil, nil //nolint:nilnil // without a token nothing can be changed
	}
	read := tokenFile("admin-token-file", file)
	_, err := read()
	return read, err
}

func tokenFile(flag, file string) func() (string, error) {
	return func() (string, error) {
		content, err := os.ReadFile(file) //nolint:gosec // a path given by the user
		if err != nil {
			return "", fmt.Errorf("--%s %s: %w", flag, file, unwrapped(err))
		}
		token := strings.TrimSpace(string(content))
		if len(token) < shortestToken {
			return "", fmt.Errorf("--%s %s: the token must have at least %d characters", flag, file, shortestToken)
		}
		return token, nil
	}
}

// shortestToken is the minimum length of a token in bytes.
const shortestToken = 16

const tracesTimeout = 5 * time.Second

// closeTraces sends the last spans, even if ctx has ended.
func closeTraces(ctx context.Context, traces *telemetry.Traces) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesTimeout)
	defer cancel()
	_ = traces.Close(ctx) // spans that cannot be sent are lost
}
