package git

import (
	"errors"
	"syscall"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	fixMissing = "correct spec.branch of the state store, or let run create the branch with --create-branch"
	fixBlocked = "name another branch in spec.branch of the state store, or rename or delete the branch that is in the way"
	fixFull    = "make room on this machine, in the temporary directory (TMPDIR) and where its repositories lie"
	fixSpill   = "look at the temporary directory (TMPDIR) of this machine: what is held of the repository lies there"
	fixReach   = "check the host in spec.url of the state store, and that this machine can reach it"
	fixLimit   = "the host limits the number of requests: use fewer state stores on it, or a user with a higher limit"
	fixServer  = "check the server: it responds, but cannot process the request"
)

var diagnosisOfFix = map[string]statestore.Diagnosis{
	fixSSH:      {Class: statestore.Setting, Field: "spec.secretRef"},
	fixBearer:   {Class: statestore.Setting, Field: "spec.secretRef"},
	fixApp:      {Class: statestore.Setting, Field: "spec.secretRef"},
	fixHost:     {Class: statestore.Setting, Field: "spec.secretRef"},
	fixSecret:   {Class: statestore.Setting, Field: "spec.secretRef"},
	fixCA:       {Class: statestore.Setting, Field: "spec.secretRef"},
	fixMoved:    {Class: statestore.Setting, Field: "spec.url"},
	fixURL:      {Class: statestore.Setting, Field: "spec.url"},
	fixFormat:   {Class: statestore.Setting, Field: "spec.url"},
	fixMissing:  {Class: statestore.Setting, Field: "spec.branch"},
	fixBlocked:  {Class: statestore.Setting, Field: "spec.branch"},
	fixArchived: {Class: statestore.Server, Field: "spec.url"},
	fixConflict: {Class: statestore.Server},
	fixHook:     {Class: statestore.Server},
	fixUnpack:   {Class: statestore.Server},
	fixDamaged:  {Class: statestore.Server},
	fixLimit:    {Class: statestore.Server},
	fixServer:   {Class: statestore.Server},
	fixProtocol: {Class: statestore.Network, Field: "spec.url"},
	fixReach:    {Class: statestore.Network, Field: "spec.url"},
	fixProxy:    {Class: statestore.Network},
	fixGit:      {Class: statestore.Machine},
	fixFull:     {Class: statestore.Machine},
	fixSpill:    {Class: statestore.Machine},
}

// diagnose returns the class of an error, and the field to change.
func diagnose(err error, v verdict) statestore.Diagnosis {
	if known, ok := diagnosisOfFix[v.fix]; ok {
		return known
	}
	var (
		status  *statusError
		refused refusal
		wait    pausedError
		app     appError
	)
	switch {
	case v.remote != "", errors.As(err, &app), errors.As(err, &status), errors.As(err, &refused) && refused.status != "", errors.As(err, &wait):
		return statestore.Diagnosis{Class: statestore.Server}
	case errors.Is(v.kind, statestore.ErrUnavailable):
		return statestore.Diagnosis{Class: statestore.Network}
	}
	return statestore.Diagnosis{Class: statestore.ClassOf(v.kind)}
}

// withFix may add a general fix to a verdict without a fix.
func (v verdict) withFix(err error) verdict {
	if v.fix != "" || v.ended != nil || errors.Is(v.kind, statestore.ErrStale) {
		return v
	}
	if v.retryAfter(err) > 0 {
		return v // users can only wait
	}
	switch diagnose(err, v).Class {
	case statestore.Network:
		v.fix = fixReach
	case statestore.Server:
		v.fix = fixServer
	}
	return v
}

// judgeBranch returns the verdict on an error about the branch or the repository, or false for
// other errors.
func judgeBranch(err error) (verdict, bool) {
	switch {
	case errors.As(err, new(missingBranch)):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixMissing}, true
	case errors.As(err, new(blockedBranch)):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixBlocked}, true
	case errors.As(err, new(objectFormatError)):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixFormat}, true
	}
	return verdict{}, false
}

// judgeMachine returns the verdict on an error of this machine, or false for other errors.
func judgeMachine(err error) (verdict, bool) {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return verdict{kind: statestore.ErrUnavailable, fix: fixFull}, true
	case errors.As(err, new(spillError)):
		return verdict{kind: statestore.ErrUnavailable, fix: fixSpill}, true
	}
	return verdict{}, false
}

func (v verdict) retryAfter(err error) time.Duration {
	var wait pausedError
	if errors.As(err, &wait) {
		return wait.left
	}
	return v.wait
}
