package bucket

import (
	"errors"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	hintReach  = "check the host in spec.endpoint of the state store, and that this machine can reach it"
	hintServer = "look at the server: it answers, and cannot do what it is asked"
)

// blames maps each hint to its blame.
var blameOfHint = map[string]statestore.Blame{
	hintKeys:      {Class: statestore.Setting, Field: "spec.secretRef"},
	hintCA:        {Class: statestore.Setting, Field: "spec.secretRef"},
	hintBucket:    {Class: statestore.Setting, Field: "spec.bucketName"},
	hintEndpoint:  {Class: statestore.Setting, Field: "spec.endpoint"},
	hintPlain:     {Class: statestore.Setting, Field: "spec.insecure"},
	hintSecure:    {Class: statestore.Setting, Field: "spec.insecure"},
	hintReach:     {Class: statestore.Network, Field: "spec.endpoint"},
	hintWire:      {Class: statestore.Network, Field: "spec.endpoint"},
	hintIAM:       {Class: statestore.Machine, Field: "spec.authMethod"},
	hintClock:     {Class: statestore.Machine},
	hintServer:    {Class: statestore.Server},
	hintSlow:      {Class: statestore.Server},
	hintConflict:  {Class: statestore.Server},
	hintFull:      {Class: statestore.Server},
	hintRefused:   {Class: statestore.Server},
	hintRetention: {Class: statestore.Server},
}

// blame returns the class of an error and the field to change. If the hint determines
// neither, the class is Server if the server responded, and otherwise Network.
func blame(err error, v verdict) statestore.Blame {
	if known, ok := blameOfHint[v.hint]; ok {
		return known
	}
	_, answered := answer(err)
	switch {
	case strings.HasPrefix(v.hint, hintOtherRegion):
		return statestore.Blame{Class: statestore.Setting, Field: "spec.endpoint"}
	case answered, errors.As(err, new(resting)):
		return statestore.Blame{Class: statestore.Server}
	case errors.Is(v.kind, statestore.ErrUnavailable):
		return statestore.Blame{Class: statestore.Network}
	}
	return statestore.Blame{Class: statestore.ClassOf(v.kind)}
}

// advise adds a hint to a verdict that has none.
func (v verdict) advise(err error) verdict {
	if v.hint != "" || v.cause != nil || errors.Is(v.kind, statestore.ErrStale) || waitOf(err) > 0 {
		return v
	}
	switch blame(err, v).Class {
	case statestore.Network:
		v.hint = hintReach
	case statestore.Server:
		v.hint = hintServer
	}
	return v
}

// waitOf returns how long the server requires its clients to wait before a retry.
func waitOf(err error) time.Duration {
	var wait resting
	errors.As(err, &wait)
	return wait.wait
}

// isUnknownUser reports whether a code is about the access key. Some servers send such a
// code with status 404, which then does not mean that an object is missing.
func isUnknownUser(code string) bool {
	switch code {
	case "XAdminUserNotFound", "XMinioAdminNoSuchUser", "InvalidAccessKeyId", "NoSuchUser":
		return true
	}
	return false
}
