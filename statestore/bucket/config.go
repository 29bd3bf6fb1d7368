package bucket

import (
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Defaults for what a Config leaves zero.
const (
	// DefaultParallel hides 20 ms of latency from a server that can bear it. One
	// that cannot says so, and gets less.
	DefaultParallel = 64
	DefaultPatience = 10 * time.Second
	DefaultCache    = 32 << 20
)

// Config says which bucket a Store writes to, and with which credentials.
type Config struct {
	// Name is what errors call the store, such as "BucketStateStore default".
	Name string
	// Endpoint is a host, with a port if need be, without a scheme. Requests go
	// to exactly this host, or to the bucket's name in front of it where the
	// provider wants that.
	Endpoint string
	// Insecure means plain HTTP.
	Insecure bool
	// DualStack uses the IPv6 and IPv4 endpoints of Amazon.
	DualStack bool
	Bucket    string
	// Path is the prefix that holds the store, in any spelling tree.ParseDir
	// takes.
	Path string
	// Region is asked of the server when it is empty.
	Region string
	Auth   Auth
	// CABundle holds PEM certificates that are trusted beside the system's.
	CABundle []byte
	// Parallel bounds the requests under way at once.
	Parallel int
	// Patience is how long a server may keep silent before a request is given
	// up and sent again.
	Patience time.Duration
	// Cache bounds the bytes of contents that are kept.
	Cache int
	// Tell is called, once, with what a user should know of the provider. It may be
	// nil.
	Tell func(message string)
}

// Auth is an access key, or IAM: the environment, a web identity, a
// container's or an instance's role, whichever is there.
type Auth struct {
	AccessKeyID     string
	SecretAccessKey string
	IAM             bool
}

// Open checks the configuration and makes a Store of it. It connects to
// nothing yet.
func Open(config Config) (*Store, error) {
	store, err := open(config)
	if err != nil {
		return nil, statestore.Misconfigured(config.Name, err)
	}
	return store, nil
}

func open(config Config) (*Store, error) {
	config.Parallel = orDefault(config.Parallel, DefaultParallel)
	config.Patience = orDefault(config.Patience, DefaultPatience)
	config.Cache = orDefault(config.Cache, DefaultCache)
	if err := config.check(); err != nil {
		return nil, err
	}
	path, err := tree.ParseDir(config.Path)
	if err != nil {
		return nil, statestore.InField("spec.path", err)
	}
	base, err := newHTTPTransport(config)
	if err != nil {
		return nil, statestore.InField("spec.secretRef", err)
	}
	client, err := newClient(config, base)
	if err != nil {
		return nil, statestore.InField("spec.endpoint", err)
	}
	store := &Store{
		name:     config.Name,
		client:   client,
		idle:     base.CloseIdleConnections,
		bucket:   config.Bucket,
		parallel: config.Parallel,
		tell:     config.Tell,
		secret:   config.Auth.SecretAccessKey,
		turn:     make(chan struct{}, 1),
		cache:    newCache(config.Cache),
		known:    newSums(),
	}
	if !path.IsRoot() {
		store.prefix = path.String() + "/"
	}
	return store, nil
}

func orDefault[T int | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}
