// Package manifests renders the objects that Flux or Argo CD needs in a cluster to read the files
// of a Destination, and to report back. It does no I/O.
package manifests

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Options are the settings of the objects.
type Options struct {
	// EventsURL is the address of this program as the cluster reaches it; empty without events.
	EventsURL string
	// Namespace is the namespace of the objects.
	Namespace string
	// SourceSecret is the name of the Secret with the credentials of the state store; empty
	// means the default.
	SourceSecret string
	// EventsSecret is the name of the Secret that events are signed with, for Flux.
	EventsSecret string
	// Interval is the time between two looks at the state store, and Timeout how long an apply
	// and its health checks may take.
	Interval, Timeout time.Duration
	// Project and Server are the project of the Applications and the API server of the
	// cluster, for Argo CD.
	Project, Server string
}

// target is a Destination as its agent reads it.
type target struct {
	destination *kratix.Destination
	store       kratix.Object
	// name is the name of the objects.
	name string
	// base is the directory of the Destination in the repository or bucket.
	base  tree.Path
	roots []root
	// git is the address of the repository; nil for a bucket.
	git *url.URL
}

// root is a directory that the agent applies as a unit.
type root struct {
	// name is the name of the root in events: "dependencies", "resources" or "".
	name string
	// dir is relative to the repository or bucket.
	dir tree.Path
}

// newTarget returns the target for a Destination and its state store.
func newTarget(d *kratix.Destination, store kratix.Object) (*target, error) {
	ref := d.Spec.StateStoreRef
	if ref == nil {
		return nil, fmt.Errorf("%s has no stateStoreRef", kratix.Describe(d))
	}
	location, err := layout.DestinationLocation(d, *ref, store)
	if err != nil {
		return nil, err
	}
	base, err := layout.Base(d)
	if err != nil {
		return nil, err
	}
	dirs, err := layout.Roots(d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kratix.Describe(d), err)
	}
	t := &target{destination: d, store: store, name: shortened(d.Name, ""), base: location.Dir}
	for _, dir := range dirs {
		below, _ := dir.RelativeTo(base)
		t.roots = append(t.roots, root{name: layout.RootName(base, dir), dir: location.Dir.Join(below)})
	}
	if git, ok := store.(*kratix.GitStateStore); ok {
		if t.git, err = gitURL(git); err != nil {
			return nil, fmt.Errorf("%s: %w", ref, err)
		}
	}
	return t, nil
}

// gitURL returns the address of a repository without a password. Agents fetch by HTTP or SSH.
func gitURL(store *kratix.GitStateStore) (*url.URL, error) {
	parsed, err := kratix.ParseGitURL(store.Spec.URL)
	if err != nil {
		return nil, err
	}
	switch parsed.Scheme {
	case "http", "https":
		parsed.User = nil
	case "ssh":
		if parsed.User != nil {
			parsed.User = url.User(parsed.User.Username())
		}
	default:
		return nil, fmt.Errorf("another cluster cannot fetch from a URL with the scheme %s: use https or ssh", parsed.Scheme)
	}
	return parsed, nil
}

// objectName returns the name of the object for a root.
func (t *target) objectName(r root) string { return shortened(t.destination.Name, r.name) }

// maxLabel is the longest name that can be the value of a label, as Flux and Argo CD use it.
const maxLabel = 63

// shortened returns the name of a Destination with a suffix, at most maxLabel bytes long.
func shortened(name, suffix string) string {
	if suffix != "" {
		suffix = "-" + suffix
	}
	if len(name)+len(suffix) <= maxLabel {
		return name + suffix
	}
	suffix = fmt.Sprintf("-%.4x", sha256.Sum256([]byte(name))) + suffix
	return strings.TrimRight(name[:maxLabel-len(suffix)], "-.") + suffix
}

// ParseEventsURL returns the base of an address for events. The address may have the path of an
// endpoint.
func ParseEventsURL(text string) (string, error) {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http":
		return "", errors.New("it must be an address such as https://kratix.example.com")
	case parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "":
		return "", errors.New("it must not have a user, a query or a fragment")
	}
	for _, path := range []string{agent.FluxPath, agent.ArgoCDPath} {
		parsed.Path = strings.TrimSuffix(parsed.Path, path)
	}
	return strings.TrimRight(parsed.String(), "/"), nil
}

// document is an object with a comment before it.
type document struct {
	comment string
	object  object
}

// object is an object of Kubernetes in the order in which it is printed.
type object struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Metadata   metadata          `yaml:"metadata"`
	Spec       any               `yaml:"spec,omitempty"`
	Data       map[string]string `yaml:"data,omitempty"`
}

// metadata is the metadata of an object.
type metadata struct {
	Name        string            `yaml:"name"`
	Namespace   string            `yaml:"namespace"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// reference is the name of an object.
type reference struct {
	Kind string `yaml:"kind,omitempty"`
	Name string `yaml:"name"`
}

// encode returns documents as YAML.
func encode(documents []document) ([]byte, error) {
	var out bytes.Buffer
	for i, d := range documents {
		if i > 0 {
			out.WriteString("---\n")
		}
		for line := range strings.Lines(d.comment) {
			out.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
		}
		encoder := yaml.NewEncoder(&out)
		const indent = 2
		encoder.SetIndent(indent)
		if err := encoder.Encode(d.object); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// duration returns a duration without zero parts, as Kubernetes objects have it.
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
