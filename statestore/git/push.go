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

type push struct {
	session transport.ReceivePackSession
	remote  *remote
	offered *capability.List
	branch  plumbing.ReferenceName
	tip     plumbing.Hash // commit of the branch; zero if there is no branch
}

// startPush begins a push and reads the branch's commit. If a local repository does not exist and
// base is empty, startPush creates it first.
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

// pushAgain returns a push with the capabilities of an earlier one, which saves a request. It
// returns nil if that is not possible.
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

// refusal is the error of a failed push. status is the server's status of the push, or empty if it
// is unknown. words is the output of the server.
type refusal struct {
	cause  error
	status string
	words  string
	// always means that the server also rejects a push of the unchanged branch.
	always bool
}

func (r refusal) Error() string { return r.cause.Error() }

func (r refusal) Unwrap() error { return r.cause }

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

// send moves the branch from tip to the commit. It returns an error if the branch is at another
// commit.
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

// errUnconfirmed is the error of a push that had no report and did not move the branch.
var errUnconfirmed = errors.New("the server took the push, reported nothing, and left the branch where it was")

// checkMoved returns an error if the branch is not at the commit. It is for servers that send no
// report.
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
