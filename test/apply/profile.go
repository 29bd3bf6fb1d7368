package apply

import (
	"context"
	"time"

	"k8s.io/client-go/discovery"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/discover"
)

// Version returns the version of the API server, such as "v1.36.3".
func (s *Schemas) Version(j *Judge) (string, error) {
	client, err := discovery.NewDiscoveryClientForConfig(j.Config)
	if err != nil {
		return "", err
	}
	info, err := client.ServerVersion()
	if err != nil {
		return "", err
	}
	return info.GitVersion, nil
}

// Profile returns the profile of the API server as the command profile writes it.
func (s *Schemas) Profile(j *Judge) (*profile.Profile, error) {
	read, err := discover.Read(context.Background(), j.Config, "profile", time.Now())
	if err != nil {
		return nil, err
	}
	text, err := read.Marshal()
	if err != nil {
		return nil, err
	}
	return profile.Parse(text)
}
