// Command kratix-schedule places Kratix's Works on Destinations, writes them to state stores, and
// checks them before they are written.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // time zones of Rollouts, for systems without them

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/kustomize/sandbox"
)

// version is set by the linker in a release. Otherwise main takes it from Go's build information.
var version = "dev"

func main() {
	if len(os.Args) == 2 && os.Args[1] == sandbox.Argument {
		if err := sandbox.Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(exitFailure)
		}
		return
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		version = versionInfo{Version: version}.fromBuild(info).Version
	}
	limits := limitsOf(memoryLimit(os.Getenv("GOMEMLIMIT")))
	limits.apply()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, builder: builder(ctx.Done(), limits.build)})
	stop()
	os.Exit(code)
}

type streams struct {
	in       io.Reader
	out, err io.Writer
	// builder builds directories with a kustomization. If it is nil, they are built in this
	// process.
	builder kustomize.Builder
}

// builder returns a builder that runs this program as a child process, or nil if the program cannot
// be found. memory is the limit of a build in bytes, or 0 for none.
func builder(stop <-chan struct{}, memory int64) kustomize.Builder {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	return sandbox.Builder{Program: program, Stop: stop, Memory: memory}
}

// The exit codes; docs/reference/cli.md explains them.
const (
	exitClean    = 0
	exitFindings = 1
	exitUsage    = 2
	exitFailure  = 3
)

// exit is an error with an exit code. An empty text is not printed.
type exit struct {
	code int
	text string
}

func (e exit) Error() string { return e.text }

func execute(ctx context.Context, args []string, std streams) int {
	command := root(std) //nolint:contextcheck // cobra passes ctx to the commands
	command.SetArgs(args)
	err := unknownCommand(command, args)
	if err == nil {
		err = command.ExecuteContext(ctx)
	}
	if err == nil {
		return exitClean
	}
	code, text := classify(err)
	if text != "" {
		_, _ = fmt.Fprintln(std.err, "kratix-schedule: "+printable.Lines(text))
	}
	return code
}

func classify(err error) (code int, text string) {
	var told exit
	if errors.As(err, &told) {
		return told.code, told.text
	}
	return exitFailure, err.Error()
}
