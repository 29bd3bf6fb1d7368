package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/retry"

	"github.com/kratix-schedule/kratix-schedule/internal/transport"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Pool opens stores. Stores with equal connection settings share connections and tokens. All stores
// share the cache. The zero Pool is ready to use.
type Pool struct {
	mu      sync.Mutex
	clients map[clientKey]*client
	cache   *cache
}

// clientKey has the settings that stores with the same client have in common.
type clientKey struct {
	host, ca string
	auth     Auth
	insecure bool
	parallel int
	patience time.Duration
}

// client sends requests to one registry.
type client struct {
	*auth.Client
	idle  func() // closes idle connections
	users int
	// secret is the last password or token that was used, or nil.
	secret atomic.Pointer[string]
}

// Open checks the configuration and returns a Store. It does not connect to the registry.
func (p *Pool) Open(config Config) (*Store, error) {
	store, err := p.open(config.withDefaults())
	if err != nil {
		return nil, statestore.Misconfigured(config.Name, err)
	}
	return store, nil
}

// Open opens a store that shares nothing with other stores.
func Open(config Config) (*Store, error) { return new(Pool).Open(config) }

func (p *Pool) open(config Config) (*Store, error) {
	at, err := config.locate()
	if err != nil {
		return nil, err
	}
	signer, err := config.Signing.signer()
	if err != nil {
		return nil, statestore.InField("spec.secretRef", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cache == nil {
		p.cache = newCache(config.Cache)
	}
	key := clientKey{
		host: at.host, ca: string(config.CABundle), auth: config.Auth, insecure: config.Insecure,
		parallel: config.Parallel, patience: config.Patience,
	}
	shared, known := p.clients[key]
	if !known {
		if shared, err = newClient(config, at.host); err != nil {
			return nil, statestore.InField("spec.secretRef", err)
		}
		if p.clients == nil {
			p.clients = map[clientKey]*client{}
		}
		p.clients[key] = shared
	}
	shared.users++
	return &Store{
		config: config, location: at, signer: signer, cache: p.cache,
		repository: repository{remote: newRemote(config, at, shared), client: shared},
		token:      make(chan struct{}, 1),
		release:    sync.OnceFunc(func() { p.release(key) }),
	}, nil
}

// release ends the use of a client by one store.
func (p *Pool) release(key clientKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	shared := p.clients[key]
	if shared.users--; shared.users == 0 {
		shared.idle()
		delete(p.clients, key)
	}
}

func newClient(config Config, host string) (*client, error) {
	options := transport.Options{Parallel: config.Parallel, Patience: config.Patience, CABundle: config.CABundle}
	base, err := transport.New(options)
	if err != nil {
		return nil, err
	}
	reference := registry.Reference{Registry: host}
	made := &client{idle: base.CloseIdleConnections}
	made.Client = &auth.Client{
		Client: &http.Client{
			Transport:     &retry.Transport{Base: transport.Limited(base, options), Policy: retries},
			CheckRedirect: checkRedirect,
		},
		Header:     http.Header{"User-Agent": {"kratix-schedule"}},
		Credential: config.Auth.credentials(reference.Host(), &made.secret),
		Cache:      auth.NewCache(),
		ClientID:   "kratix-schedule",
	}
	return made, nil
}

// These are limits for responses of a registry.
const (
	maxRedirects = 5
	// maxManifest is the maximum size in bytes of a manifest and of other metadata.
	maxManifest = 4 << 20
	// maxTagPages is the maximum number of pages with tags, of tagPage tags each.
	maxTagPages = 50
	tagPage     = 1000
)

// errRedirect is the error about a redirect that is not followed.
var errRedirect = errors.New("the registry redirects")

// checkRedirect rejects redirects from HTTPS to HTTP, and too many redirects.
func checkRedirect(next *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("%w more than %d times", errRedirect, maxRedirects)
	case via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https":
		return fmt.Errorf("%w to plain HTTP", errRedirect)
	}
	return nil
}

// retries returns the policy for repeating requests.
func retries() retry.Policy {
	const again, first, longest = 4, 100 * time.Millisecond, 3 * time.Second
	return &retry.GenericPolicy{
		Retryable: isRetryable, Backoff: retry.ExponentialBackoff(first, 2, 0.2), MinWait: first / 2, MaxWait: longest, MaxRetry: again,
	}
}

func isRetryable(response *http.Response, err error) (bool, error) {
	if err == nil {
		switch response.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true, nil
		}
		return false, nil
	}
	isOver := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if isOver || errors.As(err, new(transport.PausedError)) || isMistake(err) {
		return false, err
	}
	return true, nil
}

func newRemote(config Config, at location, shared *client) *remote.Repository {
	made := &remote.Repository{
		Client:           shared.Client,
		Reference:        registry.Reference{Registry: at.host, Repository: at.name},
		PlainHTTP:        config.Insecure,
		MaxMetadataBytes: maxManifest,
		TagListPageSize:  tagPage,
		TagListMaxPages:  maxTagPages,
	}
	_ = made.SetReferrersCapability(true) // no artifact has a subject
	return made
}

// url returns the URL of a path below the repository.
func (r *repository) url(path string) string {
	scheme := "https"
	if r.remote.PlainHTTP {
		scheme = "http"
	}
	made := url.URL{Scheme: scheme, Host: r.remote.Reference.Host(), Path: "/v2/" + r.remote.Reference.Repository + "/" + strings.TrimPrefix(path, "/")}
	return made.String()
}
