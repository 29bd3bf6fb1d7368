package main

import (
	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// apiFlags say where the Kubernetes API is.
type apiFlags struct{ kubeconfig, context string }

func (f *apiFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig of the Kubernetes API; by default $KUBECONFIG, ~/.kube/config, or the Pod's ServiceAccount")
	c.Flags().StringVar(&f.context, "context", "", "context of the kubeconfig")
}

// config is how to reach the API; asks is what asks for it.
func (f *apiFlags) config(asks string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.context}).ClientConfig()
	if err != nil {
		return nil, exit{code: exitUsage, text: asks + ": " + err.Error()}
	}
	// The API server shares its time out among its clients by itself.
	config.QPS = -1
	config.UserAgent = "kratix-schedule/" + version
	return config, nil
}
