package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

type onMisplaced struct {
	is scheduler.OnMisplaced
}

func (o *onMisplaced) add(c *cobra.Command) {
	c.Flags().Var(o, "on-misplaced", "what to do with a request whose Destination no longer fits: keep it there, or move it; the old placement is removed once the new one is recorded")
}

func (o *onMisplaced) String() string {
	if o.is == scheduler.Move {
		return "move"
	}
	return "keep"
}

func (o *onMisplaced) Set(text string) error {
	switch text {
	case "keep":
		o.is = scheduler.Keep
	case "move":
		o.is = scheduler.Move
	default:
		return fmt.Errorf("%q is neither keep nor move", text)
	}
	return nil
}

func (o *onMisplaced) Type() string { return "keep|move" }
