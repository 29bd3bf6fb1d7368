package git

import (
	"errors"
	"syscall"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	hintMissing = "correct spec.branch of the state store, or let run make the branch with --create-branch"
	hintBlocked = "name another branch in spec.branch of the state store, or rename or delete the branch that is in the way"
	hintFull    = "make room on this machine, in the temporary directory (TMPDIR) and where its repositories lie"
	hintSpill   = "look at the temporary directory (TMPDIR) of this machine: what is held of the repository lies there"
	hintReach   = "check the host in spec.url of the state store, and that this machine can reach it"
	hintLimit   = "the host limits the number of requests: use fewer state stores on it, or a user with a higher limit"
	hintServer  = "look at the server: it answers, and cannot do what it is asked"
)

// blames maps each hint to its blame.
var blameOfHint = map[string]statestore.Blame{
	hintSSH:      {Class: statestore.Setting, Field: "spec.secretRef"},
	hintBearer:   {Class: statestore.Setting, Field: "spec.secretRef"},
	hintApp:      {Class: statestore.Setting, Field: "spec.secretRef"},
	hintHost:     {Class: statestore.Setting, Field: "spec.secretRef"},
	hintSecret:   {Class: statestore.Setting, Field: "spec.secretRef"},
	hintCA:       {Class: statestore.Setting, Field: "spec.secretRef"},
	hintMoved:    {Class: statestore.Setting, Field: "spec.url"},
	hintURL:      {Class: statestore.Setting, Field: "spec.url"},
	hintFormat:   {Class: statestore.Setting, Field: "spec.url"},
	hintMissing:  {Class: statestore.Setting, Field: "spec.branch"},
	hintBlocked:  {Class: statestore.Setting, Field: "spec.branch"},
	hintArchived: {Class: statestore.Server, Field: "spec.url"},
	hintConflict: {Class: statestore.Server},
	hintHook:     {Class: statestore.Server},
	hintUnpack:   {Class: statestore.Server},
	hintDamaged:  {Class: statestore.Server},
	hintLimit:    {Class: statestore.Server},
	hintServer:   {Class: statestore.Server},
	hintProtocol: {Class: statestore.Network, Field: "spec.url"},
	hintReach:    {Class: statestore.Network, Field: "spec.url"},
	hintProxy:    {Class: statestore.Network},
	hintGit:      {Class: statestore.Machine},
	hintFull:     {Class: statestore.Machine},
	hintSpill:    {Class: statestore.Machine},
}

// blame returns the class of an error and the field to change. If the hint determines
// neither, the class is Server if the server responded, and otherwise Network.
func blame(err error, v verdict) statestore.Blame {
	if known, ok := blameOfHint[v.hint]; ok {
		return known
	}
	var (
		status  *statusError
		refused refusal
		wait    resting
		app     appError
	)
	switch {
	case v.remote != "", errors.As(err, &app), errors.As(err, &status), errors.As(err, &refused) && refused.status != "", errors.As(err, &wait):
		return statestore.Blame{Class: statestore.Server}
	case errors.Is(v.kind, statestore.ErrUnavailable):
		return statestore.Blame{Class: statestore.Network}
	}
	return statestore.Blame{Class: statestore.ClassOf(v.kind)}
}

// advise adds a hint to a verdict that has none.
func (v verdict) advise(err error) verdict {
	if v.hint != "" || v.ended != nil || errors.Is(v.kind, statestore.ErrStale) {
		return v
	}
	if v.retryAfter(err) > 0 {
		return v // nothing to do but to wait
	}
	switch blame(err, v).Class {
	case statestore.Network:
		v.hint = hintReach
	case statestore.Server:
		v.hint = hintServer
	}
	return v
}

// judgeBranch returns the verdict on errors about the branch and the repository's content;
// false for other errors.
func judgeBranch(err error) (verdict, bool) {
	switch {
	case errors.As(err, new(missingBranch)):
		return verdict{kind: statestore.ErrMisconfigured, hint: hintMissing}, true
	case errors.As(err, new(blockedBranch)):
		return verdict{kind: statestore.ErrMisconfigured, hint: hintBlocked}, true
	case errors.As(err, new(objectFormatError)):
		return verdict{kind: statestore.ErrMisconfigured, hint: hintFormat}, true
	}
	return verdict{}, false
}

// judgeMachine returns the verdict on errors of the machine this program runs on; false for
// other errors.
func judgeMachine(err error) (verdict, bool) {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return verdict{kind: statestore.ErrUnavailable, hint: hintFull}, true
	case errors.As(err, new(spillError)):
		return verdict{kind: statestore.ErrUnavailable, hint: hintSpill}, true
	}
	return verdict{}, false
}

// retryAfter returns how long to wait before the next request to the server.
func (v verdict) retryAfter(err error) time.Duration {
	var wait resting
	if errors.As(err, &wait) {
		return wait.left
	}
	return v.wait
}
