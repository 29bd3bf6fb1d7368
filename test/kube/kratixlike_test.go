package kube

import (
	"log/slog"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

type standIn struct {
	t       testing.TB
	config  *rest.Config
	options kratixlike.Options
	running *kratixlike.Running
}

func (c *cluster) standIn(options kratixlike.Options) *standIn {
	c.t.Helper()
	admin, err := clientcmd.BuildConfigFromFlags("", c.admin)
	must(c.t, err)
	config, err := kratixlike.Grant(c.t.Context(), admin)
	must(c.t, err)
	options.Log = slog.New(slog.NewTextHandler(c.t.Output(), nil))
	s := &standIn{t: c.t, config: config, options: options}
	s.start()
	c.t.Cleanup(s.stop)
	return s
}

func (s *standIn) start() {
	s.t.Helper()
	running, err := kratixlike.Start(s.t.Context(), s.config, s.options)
	must(s.t, err)
	s.running = running
}

func (s *standIn) stop() { s.running.Stop() }

func (p *platform) run(name string, test func(*platform, *testing.T)) {
	p.t.(*testing.T).Run(name, func(t *testing.T) { //nolint:errcheck // no benchmark has subtests
		c := *p.cluster
		c.t = t
		of := *p
		of.cluster = &c
		test(&of, t)
	})
}
