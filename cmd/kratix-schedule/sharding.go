package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/lease"
)

// shardSelector is the value of --watch-label-selector. The zero value selects all state stores.
type shardSelector struct{ labels labels.Selector }

var _ pflag.Value = (*shardSelector)(nil)

func (s *shardSelector) add(c *cobra.Command) {
	c.Flags().Var(s, "watch-label-selector", "with --kube, write only to the state stores whose labels match, as one of several shards: "+
		kratix.ShardLabel+"=KEY, or !"+kratix.ShardLabel+" for those without the label. Every state store must be selected by exactly one shard")
}

func (s *shardSelector) Set(text string) error {
	selector, err := labels.Parse(text)
	switch {
	case err != nil:
		return err
	case selector.Empty():
		return errors.New("an empty selector selects every state store: leave it out")
	}
	s.labels = selector
	return nil
}

func (s *shardSelector) String() string {
	if !s.isSet() {
		return ""
	}
	return s.labels.String()
}

func (*shardSelector) Type() string { return "SELECTOR" }

func (s *shardSelector) isSet() bool { return s.labels != nil }

// selects returns a function that reports whether the selector matches labels, or nil without a
// selector.
func (s *shardSelector) selects() func(map[string]string) bool {
	if !s.isSet() {
		return nil
	}
	return func(of map[string]string) bool { return s.labels.Matches(labels.Set(of)) }
}

func (s *shardSelector) lease() string {
	if !s.isSet() {
		return lease.Name
	}
	digest := sha256.Sum256([]byte(s.String()))
	const bytes = 5
	return lease.Name + "-" + hex.EncodeToString(digest[:bytes])
}

func (s *shardSelector) check(flags runFlags) error {
	switch {
	case !s.isSet():
		return nil
	case !flags.kube.enabled:
		return errors.New("--watch-label-selector is for --kube: without the Kubernetes API several processes cannot agree where a request goes")
	case flags.kube.beside.schedules:
		return errors.New("--schedule-only writes to no state store and has one replica decide: leave --watch-label-selector out")
	case flags.dryRun || flags.once:
		return errors.New("--watch-label-selector is for processes that go on writing: leave --once and --dry-run out")
	}
	return nil
}

func unknownFlag(c *cobra.Command, name string) string {
	switch {
	case name == "replicas-share":
		return "--replicas-share was removed: run one Deployment for each shard, each with --watch-label-selector and --leader-elect (docs/how-to/run-several-replicas.md)"
	case name == "watch-label-selector":
		return fmt.Sprintf("--watch-label-selector divides the state stores among several processes of run --kube; %s is about all of them", c.Name())
	}
	return ""
}
