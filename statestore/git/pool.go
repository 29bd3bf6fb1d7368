package git

import (
	"fmt"
	"strings"
	"sync"
	"weak"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Pool opens stores. Those that write to one branch of one repository, with the
// same credentials, share the connection and what is known of the branch. The
// zero Pool is ready, and forgets branches that no store uses any more.
type Pool struct {
	mu       sync.Mutex
	branches map[place]weak.Pointer[branch]
}

// place is what stores must have in common to share a branch.
type place struct {
	url, branch, ca string
	auth            Auth
	insecure, only  bool
}

// Open checks the configuration and makes a Store of it. It connects to
// nothing yet.
func (p *Pool) Open(config Config) (*Store, error) {
	store, err := p.open(config)
	if err != nil {
		return nil, &statestore.Error{
			Op: "open", Store: config.Name,
			Err:  fmt.Errorf("%w: %w", statestore.ErrMisconfigured, err),
			Hint: "correct what is named, in the state store's spec or in its Secret",
		}
	}
	return store, nil
}

// Open opens a store that shares nothing.
func Open(config Config) (*Store, error) { return new(Pool).Open(config) }

func (p *Pool) open(config Config) (*Store, error) {
	store, err := newStore(config)
	if err != nil {
		return nil, err
	}
	store.branch, err = p.branch(config)
	return store, err
}

// branch finds the branch that another store uses, or makes one.
func (p *Pool) branch(config Config) (*branch, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := place{
		url: strings.TrimRight(config.URL, "/"), branch: orDefault(config.Branch, DefaultBranch), ca: string(config.CABundle),
		auth: config.Auth, insecure: config.Insecure, only: config.OnlyBranch,
	}
	if shared := p.branches[at].Value(); shared != nil {
		return shared, nil
	}
	remote, err := newRemote(config)
	if err != nil {
		return nil, err
	}
	made := newBranch(remote)
	if p.branches == nil {
		p.branches = map[place]weak.Pointer[branch]{}
	}
	for other, pointer := range p.branches {
		if pointer.Value() == nil {
			delete(p.branches, other)
		}
	}
	p.branches[at] = weak.Make(made)
	return made, nil
}
