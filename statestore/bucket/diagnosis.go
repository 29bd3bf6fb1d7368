package bucket

import (
	"errors"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/transport"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	fixReach  = "check the host in spec.endpoint of the state store, and that this machine can reach it"
	fixServer = "check the server: it responds, but cannot process the request"
)

var diagnosisOfFix = map[string]statestore.Diagnosis{
	fixKeys:      {Class: statestore.Setting, Field: "spec.secretRef"},
	fixCA:        {Class: statestore.Setting, Field: "spec.secretRef"},
	fixBucket:    {Class: statestore.Setting, Field: "spec.bucketName"},
	fixEndpoint:  {Class: statestore.Setting, Field: "spec.endpoint"},
	fixPlain:     {Class: statestore.Setting, Field: "spec.insecure"},
	fixSecure:    {Class: statestore.Setting, Field: "spec.insecure"},
	fixReach:     {Class: statestore.Network, Field: "spec.endpoint"},
	fixWire:      {Class: statestore.Network, Field: "spec.endpoint"},
	fixIAM:       {Class: statestore.Machine, Field: "spec.authMethod"},
	fixClock:     {Class: statestore.Machine},
	fixServer:    {Class: statestore.Server},
	fixSlow:      {Class: statestore.Server},
	fixConflict:  {Class: statestore.Server},
	fixFull:      {Class: statestore.Server},
	fixRefused:   {Class: statestore.Server},
	fixRetention: {Class: statestore.Server},
}

// diagnose returns the class of an error, and the field to change.
func diagnose(err error, v verdict) statestore.Diagnosis {
	if known, ok := diagnosisOfFix[v.fix]; ok {
		return known
	}
	_, answered := answer(err)
	switch {
	case strings.HasPrefix(v.fix, fixOtherRegion):
		return statestore.Diagnosis{Class: statestore.Setting, Field: "spec.endpoint"}
	case answered, errors.As(err, new(transport.PausedError)):
		return statestore.Diagnosis{Class: statestore.Server}
	case errors.Is(v.kind, statestore.ErrUnavailable):
		return statestore.Diagnosis{Class: statestore.Network}
	}
	return statestore.Diagnosis{Class: statestore.ClassOf(v.kind)}
}

// withFix may add a general fix to a verdict without a fix.
func (v verdict) withFix(err error) verdict {
	if v.fix != "" || v.cause != nil || errors.Is(v.kind, statestore.ErrStale) || transport.WaitOf(err) > 0 {
		return v
	}
	switch diagnose(err, v).Class {
	case statestore.Network:
		v.fix = fixReach
	case statestore.Server:
		v.fix = fixServer
	}
	return v
}

// isUnknownUser reports whether an S3 error code is about the access key. Some servers send such a
// code with status 404.
func isUnknownUser(code string) bool {
	switch code {
	case "XAdminUserNotFound", "XMinioAdminNoSuchUser", "InvalidAccessKeyId", "NoSuchUser":
		return true
	}
	return false
}
