package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// ErrNoClusterID is the error if this process may not read the cluster's ID, or there is none.
var ErrNoClusterID = errors.New("the cluster's identity cannot be read")

const clusterNamespace = "kube-system"

// ClusterID returns the UID of the namespace kube-system, which identifies the cluster. It retries
// for five seconds if the API fails.
func (s *Source) ClusterID(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, errorGracePeriod)
	defer cancel()
	var cause error // the last error before the timeout
	for {
		id, err := s.readClusterID(ctx)
		if err == nil || errors.Is(err, ErrNoClusterID) {
			return id, err
		}
		if cause == nil || ctx.Err() == nil {
			cause = err
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the Kubernetes API: read namespace %s: %w", clusterNamespace, cause)
		case <-time.After(time.Second):
		}
	}
}

// errorGracePeriod is how long ClusterID tolerates API errors.
const errorGracePeriod = 5 * time.Second

func (s *Source) readClusterID(ctx context.Context) (string, error) {
	text, err := s.core.Get().Resource("namespaces").Name(clusterNamespace).DoRaw(ctx)
	switch {
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err), apierrors.IsNotFound(err):
		return "", fmt.Errorf("%w: %w", ErrNoClusterID, err)
	case err != nil:
		return "", err
	}
	var namespace struct {
		Metadata struct {
			UID string `json:"uid"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(text, &namespace); err != nil || namespace.Metadata.UID == "" {
		return "", fmt.Errorf("%w: namespace %s has no UID", ErrNoClusterID, clusterNamespace)
	}
	return namespace.Metadata.UID, nil
}
