package bucket

import (
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/transport"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// These are the defaults of Config.
const (
	DefaultParallel = 64
	DefaultPatience = 10 * time.Second
	DefaultCache    = 32 << 20
)

// Config has the settings of a Store.
type Config struct {
	// Name is the name of the store in errors, such as "BucketStateStore default".
	Name string
	// Endpoint is a host without a scheme, optionally with a port.
	Endpoint string
	// Insecure means that requests use HTTP instead of HTTPS.
	Insecure bool
	// DualStack means that requests use Amazon's dual-stack endpoints, for IPv6 and IPv4.
	DualStack bool
	Bucket    string
	// Path is the prefix of the keys of the store's objects, in any form that tree.ParseDir
	// accepts.
	Path string
	// Region is the region of the bucket. If it is empty, the client determines the region.
	Region string
	Auth   Auth
	// CABundle has PEM certificates of CAs that are trusted in addition to those of the system.
	CABundle []byte
	// Parallel is the maximum number of concurrent requests.
	Parallel int
	// Patience is the time after which a request to a silent server is cancelled. Uploads get more
	// time.
	Patience time.Duration
	// Cache is the maximum size of the cached contents in bytes.
	Cache int
	// Notify is called with limitations of the provider that users should know. It may be nil.
	Notify func(message string)
}

// Auth is an access key, or IAM. With IAM, credentials come from the environment, from a web
// identity, or from the role of a container or an instance.
type Auth struct {
	AccessKeyID     string
	SecretAccessKey string
	IAM             bool
}

// Open checks the configuration and returns a Store. It does not connect to the server.
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
	base, err := transport.New(config.transport())
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
