package bucket

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	hintReach  = "check the host in spec.endpoint of the state store, and that this machine can reach it"
	hintServer = "look at the server: it answers, and cannot do what it is asked"
)

// about says where the cause of an error lies, and which field of the store's
// object to change, if that helps.
type about struct {
	class statestore.Class
	field string
}

// abouts says of each hint what it is about.
var abouts = map[string]about{
	hintKeys:      {statestore.Setting, "spec.secretRef"},
	hintCA:        {statestore.Setting, "spec.secretRef"},
	hintBucket:    {statestore.Setting, "spec.bucketName"},
	hintEndpoint:  {statestore.Setting, "spec.endpoint"},
	hintPlain:     {statestore.Setting, "spec.insecure"},
	hintSecure:    {statestore.Setting, "spec.insecure"},
	hintReach:     {statestore.Network, "spec.endpoint"},
	hintWire:      {statestore.Network, "spec.endpoint"},
	hintIAM:       {statestore.Machine, "spec.authMethod"},
	hintClock:     {statestore.Machine, ""},
	hintServer:    {statestore.Server, ""},
	hintSlow:      {statestore.Server, ""},
	hintConflict:  {statestore.Server, ""},
	hintFull:      {statestore.Server, ""},
	hintRefused:   {statestore.Server, ""},
	hintRetention: {statestore.Server, ""},
}

// blame returns what an error is about. Where no hint tells, a server that answered
// is, else the network.
func blame(err error, v verdict) about {
	if known, ok := abouts[v.hint]; ok {
		return known
	}
	_, answered := answer(err)
	switch {
	case strings.HasPrefix(v.hint, hintOtherRegion):
		return about{statestore.Setting, "spec.endpoint"}
	case answered, errors.As(err, new(resting)):
		return about{class: statestore.Server}
	case errors.Is(v.kind, statestore.ErrUnavailable):
		return about{class: statestore.Network}
	}
	return about{class: statestore.ClassOf(v.kind)}
}

// advise adds what to do where the verdict does not say.
func (v verdict) advise(err error) verdict {
	if v.hint != "" || v.cause != nil || errors.Is(v.kind, statestore.ErrStale) || waitOf(err) > 0 {
		return v
	}
	switch blame(err, v).class {
	case statestore.Network:
		v.hint = hintReach
	case statestore.Server:
		v.hint = hintServer
	}
	return v
}

// waitOf returns how long the server asked to be left alone.
func waitOf(err error) time.Duration {
	var wait resting
	errors.As(err, &wait)
	return wait.wait
}

// misconfigured makes an error of settings that cannot work.
func misconfigured(store string, err error) error {
	var setting settingError
	errors.As(err, &setting)
	hint := "correct " + setting.field + " of the state store"
	switch setting.field {
	case "":
		hint = "correct the spec of the state store"
	case "spec.secretRef":
		hint = "correct the Secret that spec.secretRef names"
	}
	return &statestore.Error{
		Op: "open", Store: store, Err: fmt.Errorf("%w: %w", statestore.ErrMisconfigured, err),
		Hint: hint, Class: statestore.Setting, Field: setting.field,
	}
}

// isUnknownUser reports whether a code is about the access key: some servers answer
// 404 with it, which says nothing about an object.
func isUnknownUser(code string) bool {
	switch code {
	case "XAdminUserNotFound", "XMinioAdminNoSuchUser", "InvalidAccessKeyId", "NoSuchUser":
		return true
	}
	return false
}
