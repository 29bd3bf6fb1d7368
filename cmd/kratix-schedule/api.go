package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type apiFlags struct{ kubeconfig, context string }

func (f *apiFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig of the Kubernetes API; by default $KUBECONFIG, ~/.kube/config, or the Pod's ServiceAccount")
	c.Flags().StringVar(&f.context, "context", "", "context of the kubeconfig")
}

// currentContext returns the name of the context in use, or "" if it is not known.
func (f *apiFlags) currentContext() string {
	if f.context != "" {
		return f.context
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	raw, err := rules.Load()
	if err != nil {
		return ""
	}
	return raw.CurrentContext
}

// config returns the configuration of the API client. Errors begin with name.
func (f *apiFlags) config(name string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.context}).ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, exit{code: exitUsage, text: name + ": there is no kubeconfig: name one with --kubeconfig or in KUBECONFIG"}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, exit{code: exitUsage, text: fmt.Sprintf("%s: cannot read the kubeconfig %s: %v", name, f.kubeconfig, unwrapped(err))}
	}
	if err != nil {
		return nil, exit{code: exitUsage, text: name + ": " + err.Error()}
	}
	// The API server limits its clients itself.
	config.QPS = -1
	config.UserAgent = "kratix-schedule/" + version
	return config, nil
}
