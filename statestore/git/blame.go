package git

import (
	"errors"
	"fmt"
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

// about says where the cause of an error lies, and which field of the store's
// object to change, if that helps.
type about struct {
	class statestore.Class
	field string
}

// abouts says of each hint what it is about.
var abouts = map[string]about{
	hintSSH:      {statestore.Setting, "spec.secretRef"},
	hintBearer:   {statestore.Setting, "spec.secretRef"},
	hintApp:      {statestore.Setting, "spec.secretRef"},
	hintHost:     {statestore.Setting, "spec.secretRef"},
	hintSecret:   {statestore.Setting, "spec.secretRef"},
	hintCA:       {statestore.Setting, "spec.secretRef"},
	hintMoved:    {statestore.Setting, "spec.url"},
	hintURL:      {statestore.Setting, "spec.url"},
	hintFormat:   {statestore.Setting, "spec.url"},
	hintMissing:  {statestore.Setting, "spec.branch"},
	hintBlocked:  {statestore.Setting, "spec.branch"},
	hintArchived: {statestore.Server, "spec.url"},
	hintConflict: {statestore.Server, ""},
	hintHook:     {statestore.Server, ""},
	hintUnpack:   {statestore.Server, ""},
	hintDamaged:  {statestore.Server, ""},
	hintLimit:    {statestore.Server, ""},
	hintServer:   {statestore.Server, ""},
	hintProtocol: {statestore.Network, "spec.url"},
	hintReach:    {statestore.Network, "spec.url"},
	hintProxy:    {statestore.Network, ""},
	hintGit:      {statestore.Machine, ""},
	hintFull:     {statestore.Machine, ""},
	hintSpill:    {statestore.Machine, ""},
}

// blame returns what an error is about. Where no hint tells, a server that answered
// is, else the network.
func blame(err error, v verdict) about {
	if known, ok := abouts[v.hint]; ok {
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
		return about{class: statestore.Server}
	case errors.Is(v.kind, statestore.ErrUnavailable):
		return about{class: statestore.Network}
	}
	return about{class: statestore.ClassOf(v.kind)}
}

// advise adds what to do where the verdict does not say.
func (v verdict) advise(err error) verdict {
	if v.hint != "" || v.ended != nil || errors.Is(v.kind, statestore.ErrStale) {
		return v
	}
	if v.retryAfter(err) > 0 {
		return v // nothing but to wait
	}
	switch blame(err, v).class {
	case statestore.Network:
		v.hint = hintReach
	case statestore.Server:
		v.hint = hintServer
	}
	return v
}

// judgeBranch is about the branch and what the repository has; false for other
// errors.
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

// judgeMachine is about the machine this program runs on; false for other errors.
func judgeMachine(err error) (verdict, bool) {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return verdict{kind: statestore.ErrUnavailable, hint: hintFull}, true
	case errors.As(err, new(spillError)):
		return verdict{kind: statestore.ErrUnavailable, hint: hintSpill}, true
	}
	return verdict{}, false
}

// retryAfter returns for how long the server is to be left alone.
func (v verdict) retryAfter(err error) time.Duration {
	var wait resting
	if errors.As(err, &wait) {
		return wait.left
	}
	return v.wait
}

// misconfigured makes an error of settings that cannot work.
func misconfigured(store string, err error) error {
	var setting settingError
	errors.As(err, &setting)
	hint := "correct " + orDefault(setting.field, "the spec") + " of the state store"
	if setting.field == "spec.secretRef" {
		hint = "correct the Secret that spec.secretRef names"
	}
	return &statestore.Error{
		Op: "open", Store: store, Err: fmt.Errorf("%w: %w", statestore.ErrMisconfigured, err),
		Hint: hint, Class: statestore.Setting, Field: setting.field,
	}
}
