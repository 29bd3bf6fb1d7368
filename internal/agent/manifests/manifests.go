// Package manifests renders the objects with which Flux or Argo CD applies the files of a
// Destination. It does no I/O.
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

// Options are the settings of the rendered objects.
type Options struct {
	// EventsURL is the address to which the cluster sends events. If it is empty, no events are
	// sent.
	EventsURL string
	// Namespace is the namespace of the objects.
	Namespace string
	// SourceSecret is the name of the Secret with which Flux reads the state store. The default is
	// the name of the Destination with -source.
	SourceSecret string
	// VerifySecret is the name of the Secret with the public keys for signatures of artifacts. If
	// it is empty, signatures are not verified.
	VerifySecret string
	// EventsSecret is the name of the Secret with which Flux signs events.
	EventsSecret string
	// Interval is the time after which Flux applies everything again. Timeout is the maximum
	// duration of an apply with its health checks.
	Interval, Timeout time.Duration
	// Project is the Argo CD project of the Applications, and Server is the API server to which
	// they are applied.
	Project, Server string
}

type target struct {
	destination *kratix.Destination
	store       kratix.Object
	name        string
	// base is the directory of the Destination's location.
	base  tree.Path
	roots []root
	// git is the address of a git repository, and oci the address in a registry. Both are empty for
	// a bucket.
	git *url.URL
	oci string
}

// root is a directory that the agent applies.
type root struct {
	// name is the name of the root in events: "dependencies", "resources" or "".
	name string
	// dir is relative to the git repository, the bucket or the artifact.
	dir tree.Path
}

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
	registry, isOCI := store.(*kratix.OCIStateStore)
	for _, dir := range dirs {
		below, _ := dir.RelativeTo(base)
		r := root{name: layout.RootName(base, dir), dir: location.Dir.Join(below)}
		if isOCI {
			r.dir = below // an artifact has the files of one Destination
		}
		t.roots = append(t.roots, r)
	}
	if isOCI {
		host, _, err := kratix.ParseOCIURL(registry.Spec.URL)
		if err == nil {
			err = kratix.CheckOCIName(location.Dir.String())
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ref, err)
		}
		t.oci = "oci://" + host + "/" + location.Dir.String()
	}
	if git, ok := store.(*kratix.GitStateStore); ok {
		if t.git, err = gitURL(git); err != nil {
			return nil, fmt.Errorf("%s: %w", ref, err)
		}
	}
	return t, nil
}

// gitURL returns the address of a repository without a password. It returns an error for a scheme
// other than http, https and ssh.
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

func (t *target) objectName(r root) string { return shortened(t.destination.Name, r.name) }

// maxLabel is the maximum length of a label's value. Agents use object names as values of labels.
const maxLabel = 63

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

// ParseEventsURL returns the address for events without the path of an endpoint. It returns an
// error for an invalid address.
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

type document struct {
	comment string
	object  object
}

type object struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Metadata   metadata          `yaml:"metadata"`
	Spec       any               `yaml:"spec,omitempty"`
	Data       map[string]string `yaml:"data,omitempty"`
}

type metadata struct {
	Name        string            `yaml:"name"`
	Namespace   string            `yaml:"namespace"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

type reference struct {
	Kind string `yaml:"kind,omitempty"`
	Name string `yaml:"name"`
}

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

// duration formats a duration without zero parts: "10m" and not "10m0s".
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
