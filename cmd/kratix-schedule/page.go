package main

import (
	"context"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/daemon"
	"github.com/kratix-schedule/kratix-schedule/internal/page"
)

const noPage = "off"

// pageFlag is the address of the page. If it is empty, the page is served at the address of
// --listen.
type pageFlag string

func (f *pageFlag) add(c *cobra.Command) {
	c.Flags().StringVar((*string)(f), "listen-page", "", "address of the page, which shows the files in the stores, if it is not to be served at the address of --listen; \""+noPage+"\" for no page")
}

func (f pageFlag) configure(d *daemon.Daemon, listen string) {
	if f == noPage || f == "" && listen == "" {
		return
	}
	d.Page = &page.Site{Version: version, Now: time.Now}
	if f == "" {
		return
	}
	d.ListenPage = func(ctx context.Context) (net.Listener, error) {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", string(f))
		if err != nil {
			return nil, exit{code: exitUsage, text: "--listen-page: " + err.Error()}
		}
		return listener, nil
	}
}
