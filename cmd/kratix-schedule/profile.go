package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/discover"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

type profileFlags struct {
	api       apiFlags
	name      string
	output    string
	configMap bool
	namespace string
	timeout   time.Duration
}

func profileCommand(std streams) *cobra.Command {
	var flags profileFlags
	command := &cobra.Command{
		Use:   "profile [--context CONTEXT] [--name DESTINATION]",
		Short: "Write a profile of what a cluster has, to know what it would refuse",
		Long: `Read from a cluster which kinds it serves, its CustomResourceDefinitions, its
namespaces and its version, and write a ClusterProfile with them. It belongs to
the Destination that --name names. With it, --check-apply knows what the cluster
would refuse because it lacks a kind or a namespace.

Put the file beside the Destinations; or, for run --kube, write a ConfigMap
(--configmap) and apply it to the cluster with Kratix, server-side, since it is
too large for the annotation of a client-side apply.

The command lists and changes nothing. The user needs list on namespaces and on
customresourcedefinitions, and what system:discovery allows; list on apiservices
is useful. If an aggregated API is down, its groups are noted, and no object is
held back because of their kinds.

Exit status: 0 written, 2 wrong usage, 3 the cluster cannot be read or the file
cannot be written.`,
		Example: `  kratix-schedule profile --context worker-1 -o destinations/worker-1-profile.yaml
  kratix-schedule profile --context admin@prod --name worker-1 --configmap | kubectl apply --server-side -f -`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return runProfile(c, flags, std) },
	}
	flags.api.add(command)
	command.Flags().StringVar(&flags.name, "name", "", "name of the Destination; by default that of the context")
	command.Flags().StringVarP(&flags.output, "output", "o", "-", "file to write; - is standard output")
	command.Flags().BoolVar(&flags.configMap, "configmap", false, "write a ConfigMap that contains the profile, compressed. A ConfigMap holds at most 1 MiB")
	command.Flags().StringVar(&flags.namespace, "namespace", "kratix-schedule", "namespace of the ConfigMap: that of the Pod of run --kube, or its --profile-namespace")
	command.Flags().DurationVar(&flags.timeout, "timeout", time.Minute, "how long reading the cluster may take")
	return command
}

func runProfile(c *cobra.Command, flags profileFlags, std streams) error {
	if c.Flags().Changed("namespace") && !flags.configMap {
		return usage(c, "--namespace is that of the ConfigMap: give --configmap too")
	}
	if flags.timeout <= 0 {
		return usage(c, "--timeout must be more than 0")
	}
	name, err := flags.destination(c)
	if err != nil {
		return err
	}
	config, err := flags.api.config("the Kubernetes API")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(quiet(c.Context()), flags.timeout, fmt.Errorf("the cluster was not read within %s (--timeout)", flags.timeout))
	defer cancel()
	p, err := discover.Read(ctx, config, name, time.Now())
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	text, err := p.Marshal()
	if err == nil && flags.configMap {
		text, err = profileConfigMap(p, flags.namespace)
	}
	if err != nil {
		return err
	}
	for _, unread := range p.Unread {
		_, _ = fmt.Fprintf(std.err, "warning: the API server cannot list the group %s: %s; it is not known whether it serves a kind of this group, so no object is held back for that\n",
			printable.Line(unread.Group), printable.Line(unread.Reason))
	}
	if err := writeProfile(std.out, flags.output, text); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(std.err, "profile of %s: Kubernetes %s, %s, %s, %s; %d KiB\n", p.Name, printable.Line(p.KubernetesVersion),
		countOf(len(p.Kinds), "kind"), countOf(len(p.Definitions), "CustomResourceDefinition"), countOf(len(p.Namespaces), "namespace"), (len(text)+1023)>>10)
	return nil
}

func (f *profileFlags) destination(c *cobra.Command) (string, error) {
	name, from := f.name, "--name "+f.name
	if name == "" {
		name = f.api.currentContext()
		from = "the context " + name
	}
	switch {
	case name == "":
		return "", usage(c, "there is no context to take the name of the Destination from: give --name")
	case len(validation.IsDNS1123Subdomain(name)) > 0 && f.name == "":
		return "", usage(c, from+" cannot be the name of a Destination: give --name")
	case len(validation.IsDNS1123Subdomain(name)) > 0:
		return "", usage(c, from+": it cannot be the name of a Destination")
	}
	return name, nil
}

func profileConfigMap(p *profile.Profile, namespace string) ([]byte, error) {
	packed, err := p.Pack()
	if err != nil {
		return nil, err
	}
	made := corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: profile.ConfigMapKind},
		ObjectMeta: metav1.ObjectMeta{Name: "cluster-profile-" + p.Name, Namespace: namespace, Labels: map[string]string{profile.Label: "true"}},
		BinaryData: map[string][]byte{profile.PackedKey: packed},
	}
	const longest = validation.DNS1123SubdomainMaxLength
	if len(made.Name) > longest {
		made.Name = strings.TrimRight(made.Name[:longest], "-.")
	}
	return yaml.Marshal(made)
}

// writeProfile writes to a file, or to out if the file is "-". It replaces a regular file
// atomically.
func writeProfile(out io.Writer, file string, text []byte) error {
	if file == "-" {
		_, err := out.Write(text)
		return err
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		if err := os.WriteFile(file, text, 0); err != nil {
			return fmt.Errorf("write the profile to %s: %w", file, unwrapped(err))
		}
		return nil
	}
	if err := replaceFile(file, text); err != nil {
		return fmt.Errorf("write the profile to %s: %w", file, unwrapped(err))
	}
	return nil
}

func replaceFile(file string, text []byte) error {
	made, err := os.CreateTemp(filepath.Dir(file), ".kratix-schedule-*.tmp")
	if err != nil {
		return err
	}
	_, err = made.Write(text)
	const readable = 0o644
	if err == nil {
		err = made.Chmod(readable)
	}
	if closed := made.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(made.Name(), file)
	}
	if err != nil {
		_ = os.Remove(made.Name()) // err is the error to report
	}
	return err
}
