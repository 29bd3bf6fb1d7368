package git

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// push is one exchange with git-receive-pack.
type push struct {
	session transport.ReceivePackSession
	remote  *remote
	offered *capability.List
	branch  plumbing.ReferenceName
	tip     plumbing.Hash // commit of the branch; zero if there is none
}

// startPush opens a push and reads the branch's current commit. It first creates a local
// repository that does not exist, if base is empty.
func (r *remote) startPush(ctx context.Context, base statestore.Revision) (*push, error) {
	there, err := r.exists()
	switch {
	case err != nil:
		return nil, err
	case !there && base != "":
		return nil, statestore.ErrStale
	case !there:
		err = r.create(ctx)
	}
	if err != nil {
		return nil, err
	}
	session, refs, err := advertise(ctx, r, r.client.NewReceivePackSession)
	if err != nil {
		return nil, err
	}
	if err := r.checkBranch(refs); err != nil {
		session.Close() //nolint:errcheck // no request was sent
		return nil, err
	}
	r.offered = refs.Capabilities
	return &push{session: session, remote: r, offered: r.offered, branch: r.branch, tip: refs.References[r.branch.String()]}, nil
}

// pushAgain returns a push without an advertisement, based on the capabilities in an
// earlier one; nil if that is not possible. Over http each request is independent, so this
// saves one of two requests.
func (r *remote) pushAgain(ctx context.Context, tip plumbing.Hash) *push {
	if !r.stateless || r.offered == nil || r.moved.warning() != "" || r.pause.over(r.now()) != nil {
		return nil
	}
	auth, err := r.credentials.login(ctx)
	if err != nil {
		return nil
	}
	session, err := r.client.NewReceivePackSession(nil, auth)
	if err != nil {
		return nil
	}
	return &push{session: session, remote: r, offered: r.offered, branch: r.branch, tip: tip}
}

func (p *push) close() { p.session.Close() } //nolint:errcheck // the report contains the result

// refusal is a failed push, with the server's status of the branch or of the unpacking, if
// any, and the output of the server and its hooks.
type refusal struct {
	cause  error
	status string
	words  string
	// always means that the server also rejects a push of the unchanged branch.
	always bool
}

func (r refusal) Error() string { return r.cause.Error() }

func (r refusal) Unwrap() error { return r.cause }

// status returns the server's reason in a report; empty if there is no report.
func status(report *packp.ReportStatus) string {
	if report == nil {
		return ""
	}
	for _, command := range report.CommandStatuses {
		if command.Error() != nil {
			return command.Status
		}
	}
	return "unpack: " + report.UnpackStatus
}

// send moves the branch from tip to the commit, if it is still at tip.
func (p *push) send(ctx context.Context, made *commit) error {
	packed, err := pack(made.objects)
	if err != nil {
		return err
	}
	var words bytes.Buffer
	ask := packp.NewReferenceUpdateRequestFromCapabilities(p.offered)
	for _, wish := range []capability.Capability{capability.Sideband64k, capability.Quiet} {
		if p.offered.Supports(wish) {
			ask.Capabilities.Set(wish) //nolint:errcheck // neither takes a value
		}
	}
	ask.Commands = []*packp.Command{{Name: p.branch, Old: p.tip, New: made.commit}}
	ask.Packfile = io.NopCloser(bytes.NewReader(packed))
	ask.Progress = &words
	report, err := p.session.ReceivePack(ctx, ask)
	switch {
	case err != nil:
		return refusal{cause: err, status: status(report), words: words.String()}
	case report == nil:
		return p.checkMoved(ctx, made.commit, words.String())
	}
	return nil
}

// errUnconfirmed is returned for a push that a server neither reported nor carried out.
var errUnconfirmed = errors.New("the server took the push, reported nothing, and left the branch where it was")

// checkMoved returns an error unless the branch is at the commit now. It replaces the
// report of servers that send none.
func (p *push) checkMoved(ctx context.Context, commit plumbing.Hash, words string) error {
	session, refs, err := advertise(ctx, p.remote, p.remote.client.NewReceivePackSession)
	if err != nil {
		return err
	}
	session.Close() //nolint:errcheck // the response is complete
	switch refs.References[p.branch.String()] {
	case commit:
		return nil
	case p.tip:
		return refusal{cause: errUnconfirmed, status: "not moved", words: words}
	}
	return statestore.ErrStale
}
