package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kratix-schedule/kratix-schedule/reconcile"
)

type removalFlags struct {
	allow  allowanceFlag
	all    bool
	window time.Duration
}

func (f *removalFlags) add(c *cobra.Command) {
	c.Flags().Var(&f.allow, "allow-removals", "how many placements that have lost their Works may be removed within --removal-window, whatever the deletion guard says")
	c.Flags().BoolVar(&f.all, "allow-deletions", false, "the same as --allow-removals all")
	c.Flags().DurationVar(&f.window, "removal-window", reconcile.RemovalWindow, "how long the deletion guard counts a removal")
}

func (f *removalFlags) allowance() reconcile.Allowance {
	if f.all {
		return reconcile.AllowAll()
	}
	return f.allow.Allowance
}

type allowanceFlag struct{ reconcile.Allowance }

var _ pflag.Value = (*allowanceFlag)(nil)

func (f *allowanceFlag) Set(text string) error {
	allowed, err := reconcile.ParseAllowance(text)
	f.Allowance = allowed
	return err
}

func (*allowanceFlag) Type() string { return "N|all" }

type allowanceFile struct{ path string }

func (f *allowanceFile) add(c *cobra.Command) {
	c.Flags().StringVar(&f.path, "allow-removals-file", "",
		`file with what --allow-removals says and until when, as "12 until 2026-01-31T12:00:00Z"; it is read in every round, and SIGHUP begins one`)
}

// reader returns a function that reads the allowance file, or nil without a file.
func (f *allowanceFile) reader() func(time.Time) (reconcile.Allowance, error) {
	if f.path == "" {
		return nil
	}
	return f.read
}

// read returns the allowance that is valid at the given time. A missing file allows nothing.
func (f *allowanceFile) read(now time.Time) (reconcile.Allowance, error) {
	const most = 1 << 10
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return reconcile.Allowance{}, nil
	}
	if err != nil {
		return reconcile.Allowance{}, fmt.Errorf("--allow-removals-file: %w", err)
	}
	defer file.Close() //nolint:errcheck // it is only read
	content, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return reconcile.Allowance{}, fmt.Errorf("--allow-removals-file: %w", err)
	}
	allowed, err := parseAllowanceFile(string(content), now)
	if err != nil {
		return reconcile.Allowance{}, fmt.Errorf("--allow-removals-file %s: %w", f.path, err)
	}
	return allowed, nil
}

var errAllowanceFile = errors.New(`write it as "12 until 2026-01-31T12:00:00Z", or "all until ..."`)

func parseAllowanceFile(text string, now time.Time) (reconcile.Allowance, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return reconcile.Allowance{}, nil
	}
	const wanted = 3
	if len(words) != wanted || words[1] != "until" {
		return reconcile.Allowance{}, errAllowanceFile
	}
	allowed, err := reconcile.ParseAllowance(words[0])
	if err != nil {
		return reconcile.Allowance{}, errAllowanceFile
	}
	end, err := time.Parse(time.RFC3339, words[2])
	switch {
	case err != nil:
		return reconcile.Allowance{}, errAllowanceFile
	case now.After(end):
		return reconcile.Allowance{}, fmt.Errorf("what it allows has ended at %s", end.UTC().Format(time.RFC3339))
	}
	return allowed, nil
}
