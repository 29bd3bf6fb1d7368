package git

import (
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Pool opens stores. Stores on one branch with the same credentials can share connections and
// objects. The zero Pool is ready to use.
type Pool struct {
	branches shared[branchKey, branch]
	sharedHosts
}

type branchKey struct {
	url, branch, ca  string
	auth             Auth
	insecure, create bool
}

// Open checks the configuration and returns a Store. It does not connect to the server.
func (p *Pool) Open(config Config) (*Store, error) {
	store, err := p.open(config)
	if err != nil {
		return nil, statestore.Misconfigured(config.Name, err)
	}
	return store, nil
}

// Open opens a store that shares nothing with other stores.
func Open(config Config) (*Store, error) { return new(Pool).Open(config) }

func (p *Pool) open(config Config) (*Store, error) {
	store, err := newStore(config)
	if err != nil {
		return nil, err
	}
	if store.branch, err = p.branch(config); err != nil {
		return nil, err
	}
	store.users.Add(1)
	return store, nil
}

func (p *Pool) branch(config Config) (*branch, error) {
	at := branchKey{
		url: strings.TrimRight(config.URL, "/"), branch: kratix.BranchName(config.Branch), ca: string(config.CABundle),
		auth: config.Auth, insecure: config.Insecure, create: config.CreateBranch,
	}
	return p.branches.get(at, func() (*branch, error) {
		remote, err := newRemote(config, &p.sharedHosts)
		if err != nil {
			return nil, err
		}
		return newBranch(remote), nil
	})
}
