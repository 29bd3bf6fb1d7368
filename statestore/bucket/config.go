package bucket

import (
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Defaults of Config.
const (
	// DefaultParallel hides a latency of 20 ms. A server that cannot process that many
	// requests responds that it is busy, and then receives fewer.
	DefaultParallel = 64
	DefaultPatience = 10 * time.Second
	DefaultCache    = 32 << 20
)

// Config holds the settings of a Store: the bucket and the credentials.
type Config struct {
	// Name is the name of the store in errors, such as "BucketStateStore default".
	Name string
	// Endpoint is a host, optionally with a port, without a scheme. Requests go to exactly
	// this host, or to a host with the bucket's name in front of it if the provider
	// requires that.
	Endpoint string
	// Insecure means plain HTTP.
	Insecure bool
	// DualStack uses Amazon's dual-stack (IPv6 and IPv4) endpoints.
	DualStack bool
	Bucket    string
	// Path is the prefix of the store's objects, in any form that tree.ParseDir accepts.
	Path string
	// Region is the bucket's region; if it is empty, the server is asked for it.
	Region string
	Auth   Auth
	// CABundle has PEM certificates that are trusted in addition to those of the system.
	CABundle []byte
	// Parallel is the maximum number of concurrent requests.
	Parallel int
	// Patience is how long a server may send nothing before a request is cancelled and
	// retried.
	Patience time.Duration
	// Cache is the maximum number of bytes of cached contents.
	Cache int
	// Notify is called once for each notice about the provider. It may be nil.
	Notify func(message string)
}

// Auth is an access key or IAM: the environment, a web identity, or the role of a container
// or an instance, whichever exists.
type Auth struct {
	AccessKeyID     string
	SecretAccessKey string
	IAM             bool
}

// Open checks the configuration and returns a Store. It does not connect yet.
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
		notify:   config.Notify,
		secret:   config.Auth.SecretAccessKey,
		token:    make(chan struct{}, 1),
		cache:    newCache(config.Cache),
		known:    newDigestCache(),
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
