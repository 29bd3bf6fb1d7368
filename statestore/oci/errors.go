package oci

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/kratix-schedule/kratix-schedule/internal/transport"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	fixLogin    = "check the user name and the password in the Secret that spec.secretRef names, and whether they are of this registry"
	fixToken    = "give this process a valid file for the registry in the directory KRATIX_SCHEDULE_REGISTRY_TOKENS"
	fixAllow    = "allow the credentials to pull from and push to the repository"
	fixName     = "correct spec.url of the state store, or create the repository if the registry does not create it"
	fixCA       = "put the certificate of the CA that signed the registry's into key ca.crt of the Secret that spec.secretRef names, PEM encoded"
	fixPlain    = "the registry speaks plain HTTP: set spec.insecure to true, or correct the port in spec.url"
	fixSecure   = "the registry speaks HTTPS: set spec.insecure to false, or correct the port in spec.url"
	fixReach    = "check the host in spec.url of the state store, and that this machine can reach it"
	fixWire     = "responses are cut off: check the network between this machine and the registry, such as a proxy; nothing is lost, and the next round continues"
	fixSlow     = "the registry limits the rate of requests: nothing is lost, and the next round continues"
	fixServer   = "check the registry: it responds, but cannot process the request"
	fixForeign  = "delete the tag latest of the repository, or use another spec.url: something else has pushed to it"
	fixImmobile = "let the tag latest of the repository be changed: artifacts have tags of their own that never change"
	fixRefused  = "the registry does not take this artifact: it may be too large, or a policy of the registry refuses it"
	fixRename   = "rename one of the files in the pipeline's output"
	fixLarge    = "place fewer or smaller Works on the Destination"
	fixSlowly   = "check whether the registry is overloaded: nothing is lost, and the next round continues"
)

var diagnosisOfFix = map[string]statestore.Diagnosis{
	fixLogin:    {Class: statestore.Setting, Field: "spec.secretRef"},
	fixToken:    {Class: statestore.Machine, Field: "spec.authMethod"},
	fixAllow:    {Class: statestore.Setting, Field: "spec.secretRef"},
	fixName:     {Class: statestore.Setting, Field: "spec.url"},
	fixCA:       {Class: statestore.Setting, Field: "spec.secretRef"},
	fixPlain:    {Class: statestore.Setting, Field: "spec.insecure"},
	fixSecure:   {Class: statestore.Setting, Field: "spec.insecure"},
	fixReach:    {Class: statestore.Network, Field: "spec.url"},
	fixWire:     {Class: statestore.Network, Field: "spec.url"},
	fixForeign:  {Class: statestore.Server, Field: "spec.url"},
	fixSlow:     {Class: statestore.Server},
	fixServer:   {Class: statestore.Server},
	fixImmobile: {Class: statestore.Server},
	fixRefused:  {Class: statestore.Server},
	fixRename:   {Class: statestore.Server},
	fixLarge:    {Class: statestore.Server},
	fixSlowly:   {Class: statestore.Server},
}

// verdict has the kind and the fix with which an error is reported.
type verdict struct {
	kind error
	fix  string
	// cause is reported instead of the error if it is not nil.
	cause error
	// paths are the files that cannot be stored.
	paths []tree.Path
}

// failure converts the error of an operation to a statestore.Error.
func (s *Store) failure(op string, err error) error {
	var reported *statestore.Error
	if errors.As(err, &reported) {
		return err
	}
	v := s.judge(err)
	cause := diagnosisOfFix[v.fix]
	out := &statestore.Error{Op: op, Store: s.config.Name, Err: v.kind, Fix: v.fix, Paths: v.paths, Class: cause.Class, Field: cause.Field, RetryAfter: transport.WaitOf(err)}
	var response *errcode.ErrorResponse
	switch {
	case v.cause != nil:
		out.Err = fmt.Errorf("%w: %w", v.kind, v.cause)
	case errors.Is(v.kind, statestore.ErrStale), errors.Is(v.kind, statestore.ErrUnknownRevision):
	case errors.As(err, &response):
		out.Err = fmt.Errorf("%w: %s for %s", v.kind, status(response.StatusCode), response.Method)
		if len(response.Errors) > 0 {
			out.Remote = s.oneLine(response.Errors[0].Code + ": " + response.Errors[0].Message)
		}
	default:
		out.Err = fmt.Errorf("%w: %s", v.kind, s.oneLine(err.Error()))
	}
	return out
}

func status(code int) string { return fmt.Sprintf("%d %s", code, http.StatusText(code)) }

func (s *Store) judge(err error) verdict {
	var (
		blocked  conflict
		response *errcode.ErrorResponse
		token    tokenError
		slow     slowError
	)
	switch {
	case errors.Is(err, statestore.ErrStale):
		return verdict{kind: statestore.ErrStale}
	case errors.Is(err, statestore.ErrUnknownRevision):
		return verdict{kind: statestore.ErrUnknownRevision}
	case errors.Is(err, context.Canceled):
		return verdict{kind: statestore.ErrUnavailable, cause: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return verdict{kind: statestore.ErrUnavailable, cause: context.DeadlineExceeded}
	case errors.As(err, &blocked):
		return verdict{kind: statestore.ErrContentRefused, fix: blocked.fix, cause: blocked, paths: blocked.paths}
	case errors.As(err, &token):
		return verdict{kind: statestore.ErrDenied, fix: fixToken, cause: token}
	case errors.As(err, &slow):
		return verdict{kind: statestore.ErrUnavailable, fix: fixSlowly}
	case errors.Is(err, errForeign):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixForeign}
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return verdict{kind: statestore.ErrDenied, fix: s.fixCredentials()}
	case errors.As(err, &response):
		return s.judgeResponse(response)
	}
	return judgeConnection(err)
}

func (s *Store) fixCredentials() string {
	if s.config.Auth.TokenDir != "" {
		return fixToken
	}
	return fixLogin
}

func (s *Store) judgeResponse(response *errcode.ErrorResponse) verdict {
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized:
		return verdict{kind: statestore.ErrDenied, fix: s.fixCredentials()}
	case code == http.StatusForbidden:
		return verdict{kind: statestore.ErrDenied, fix: fixAllow}
	case hasCode(response, "TAG_INVALID", "TAG_IMMUTABLE", "IMAGE_TAG_ALREADY_EXISTS"), code == http.StatusConflict, code == http.StatusPreconditionFailed:
		return verdict{kind: statestore.ErrDenied, fix: fixImmobile}
	case code == http.StatusNotFound, hasCode(response, errcode.ErrorCodeNameInvalid, errcode.ErrorCodeNameUnknown):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixName}
	case code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity,
		hasCode(response, errcode.ErrorCodeManifestInvalid, errcode.ErrorCodeSizeInvalid, errcode.ErrorCodeDenied):
		return verdict{kind: statestore.ErrContentRefused, fix: fixRefused}
	case code == http.StatusTooManyRequests:
		return verdict{kind: statestore.ErrUnavailable, fix: fixSlow}
	case code == http.StatusBadRequest && !s.config.Insecure:
		return verdict{kind: statestore.ErrUnavailable, fix: fixServer}
	case code == http.StatusBadRequest && len(response.Errors) == 0: // the answer of an HTTPS server to plain HTTP
		return verdict{kind: statestore.ErrMisconfigured, fix: fixSecure}
	}
	return verdict{kind: statestore.ErrUnavailable, fix: fixServer}
}

// judgeConnection returns the verdict on an error without a response.
func judgeConnection(err error) verdict {
	var (
		dns  *net.DNSError
		dial *net.OpError
	)
	switch {
	case isUntrusted(err):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixCA}
	case isPlain(err):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixPlain}
	case errors.Is(err, errRedirect), strings.Contains(err.Error(), "bearer realm"), strings.Contains(err.Error(), "blob upload Location"):
		return verdict{kind: statestore.ErrDenied, fix: fixServer}
	case errors.As(err, new(transport.PausedError)):
		return verdict{kind: statestore.ErrUnavailable, fix: fixSlow}
	case errors.As(err, &dns), errors.As(err, &dial):
		return verdict{kind: statestore.ErrUnavailable, fix: fixReach}
	}
	return verdict{kind: statestore.ErrUnavailable, fix: fixWire}
}

func isUntrusted(err error) bool {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &verify) || errors.As(err, &unknown)
}

func isPlain(err error) bool {
	return strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// isMistake reports whether an error without a response would occur again if the request were
// repeated.
func isMistake(err error) bool {
	return isUntrusted(err) || isPlain(err) || errors.Is(err, errRedirect)
}

// isUnsupported reports whether the registry does not support or does not allow a request.
func isUnsupported(err error) bool {
	return isStatus(err, http.StatusMethodNotAllowed) || isStatus(err, http.StatusForbidden) || isStatus(err, http.StatusUnauthorized) ||
		isStatus(err, http.StatusNotImplemented) || hasCode(err, errcode.ErrorCodeUnsupported)
}

// oneLine returns the text in one line, without the password or token that was used last.
func (s *Store) oneLine(text string) string {
	if secret := s.client.secret.Load(); secret != nil {
		return statestore.OneLine(text, *secret)
	}
	return statestore.OneLine(text, "")
}
