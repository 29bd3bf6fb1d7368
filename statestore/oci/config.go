package oci

import (
	"errors"
	"fmt"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// These are the defaults of Config.
const (
	DefaultParallel = 32
	DefaultPatience = 10 * time.Second
	DefaultSettle   = 10 * time.Second
	DefaultKeep     = 10
	DefaultCache    = 64 << 20
)

// Config has the settings of a Store.
type Config struct {
	// Name is the name of the store in errors, such as "OCIStateStore fleet/worker-1".
	Name string
	// URL is oci://REGISTRY or oci://REGISTRY/PREFIX.
	URL string
	// Dir is the directory of the Destination, in any form that tree.ParseDir accepts. The
	// repository is URL followed by Dir. The paths of the store begin with Dir.
	Dir string
	// Insecure means that requests use HTTP instead of HTTPS.
	Insecure bool
	Auth     Auth
	// CABundle has PEM certificates of CAs that are trusted in addition to those of the system.
	CABundle []byte
	// Signing signs artifacts if it has a key.
	Signing SigningKey
	// MediaType is the media type of layers: FluxContent, which is the default, or OCILayer.
	MediaType string
	// Keep is the number of artifacts to keep, at least 2.
	Keep int
	// Writer is the controller ID in artifacts.
	Writer string
	// Parallel is the maximum number of concurrent requests to the registry.
	Parallel int
	// Patience is the time after which a request to a silent registry is cancelled. Uploads get
	// more time.
	Patience time.Duration
	// Settle is how long a write waits for another writer that has announced a write and does not
	// finish it.
	Settle time.Duration
	// Cache is the size of the Pool's cache in bytes. The first store of the Pool determines it.
	Cache int
	// Now returns the time for the annotations of artifacts. It must not be nil.
	Now func() time.Time
	// Notify is called with limitations of the registry that users should know. It may be nil.
	Notify func(message string)
}

// withDefaults returns the configuration with defaults filled in.
func (c Config) withDefaults() Config {
	c.Parallel = orDefault(c.Parallel, DefaultParallel)
	c.Patience = orDefault(c.Patience, DefaultPatience)
	c.Settle = orDefault(c.Settle, DefaultSettle)
	c.Keep = orDefault(c.Keep, DefaultKeep)
	c.Cache = orDefault(c.Cache, DefaultCache)
	if c.MediaType == "" {
		c.MediaType = FluxContent
	}
	return c
}

func orDefault[T int | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}

// minKeep is the minimum of Config.Keep. An agent may be reading the artifact before the newest.
const minKeep = 2

// location is a repository and the directory of its files.
type location struct {
	host, name string
	dir        tree.Path
}

// locate returns the location of the repository, or an error if the configuration is invalid.
func (c *Config) locate() (location, error) {
	host, prefix, err := kratix.ParseOCIURL(c.URL)
	if err != nil {
		return location{}, statestore.InField("spec.url", err)
	}
	dir, err := tree.ParseDir(c.Dir)
	if err != nil {
		return location{}, fmt.Errorf("the path of the Destination: %w", err)
	}
	at := location{host: host, name: prefix, dir: dir}
	switch {
	case dir.IsRoot():
	case prefix == "":
		at.name = dir.String()
	default:
		at.name = prefix + "/" + dir.String()
	}
	if err := kratix.CheckOCIName(at.name); err != nil {
		return at, err
	}
	switch {
	case c.MediaType != FluxContent && c.MediaType != OCILayer:
		return at, statestore.InField("spec.mediaType", fmt.Errorf("the media type %q is not known", c.MediaType))
	case c.Keep < minKeep:
		return at, statestore.InField("spec.keep", errors.New("at least 2 artifacts must be kept"))
	}
	return at, nil
}
