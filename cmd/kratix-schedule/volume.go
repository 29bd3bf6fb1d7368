package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

type volumeFlags struct{ quiet, verbose bool }

func (f *volumeFlags) add(c *cobra.Command) {
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "print findings only: no placements, changes, notices or summary")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "list every finding, even if many are alike")
	configurable(c, "quiet", "verbose")
}

func (f *volumeFlags) volume(c *cobra.Command) (report.Volume, error) {
	switch {
	case f.quiet && f.verbose:
		return report.Normal, usage(c, "--quiet and --verbose exclude each other")
	case f.quiet:
		return report.Quiet, nil
	case f.verbose:
		return report.Verbose, nil
	}
	return report.Normal, nil
}

func (s streams) notices(volume report.Volume) io.Writer {
	if volume == report.Quiet {
		return io.Discard
	}
	return s.err
}
