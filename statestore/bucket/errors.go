package bucket

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/transport"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type action string

const (
	showing  action = "s3:ListBucket"
	getting  action = "s3:GetObject"
	putting  action = "s3:PutObject"
	deleting action = "s3:DeleteObject"
	aborting action = "s3:AbortMultipartUpload"
)

type actionError struct {
	action action
	err    error
}

func (d actionError) Error() string { return d.err.Error() }
func (d actionError) Unwrap() error { return d.err }

const (
	fixKeys      = "check accessKeyID and secretAccessKey in the Secret that spec.secretRef names"
	fixIAM       = "with spec.authMethod IAM credentials come from the environment, a web identity token, or the role of the container or instance: give this process one of them"
	fixBucket    = "create the bucket, or correct spec.bucketName or spec.endpoint of the state store"
	fixClock     = "the clock of this machine and the server's differ too much: set the clock (NTP)"
	fixEndpoint  = "check spec.endpoint of the state store, and that this machine can reach it"
	fixWire      = "responses are cut off: check the network between this machine and spec.endpoint, such as a proxy; nothing is lost, and the next round continues"
	fixCA        = "put the certificate of the CA that signed the server's into key ca.crt of the Secret that spec.secretRef names, PEM encoded"
	fixPlain     = "the server speaks plain HTTP: set spec.insecure to true, or correct the port in spec.endpoint"
	fixSecure    = "the server speaks HTTPS: set spec.insecure to false, or correct the port in spec.endpoint"
	fixSlow      = "the provider limits the rate of requests: nothing is lost, and the next round continues where this one stopped"
	fixConflict  = "rename one of the two, in the pipeline's output or in the bucket"
	fixFull      = "the bucket or the server has no room left: raise the quota or add storage"
	fixRefused   = "the server does not take this file under this key: give it another name or content in the pipeline's output"
	fixRetention = "the bucket keeps objects from being changed or deleted (object lock or retention): use a bucket without it"
)

type verdict struct {
	kind error
	fix  string
	// cause is reported instead of the error if it is not nil.
	cause error
	paths []tree.Path
}

func (s *Store) failure(op string, err error) error {
	var reported *statestore.Error
	if errors.As(err, &reported) {
		return err
	}
	v := s.judge(err).withFix(err)
	out := &statestore.Error{Op: op, Store: s.name, Err: v.kind, Fix: v.fix, Paths: v.paths, RetryAfter: transport.WaitOf(err)}
	cause := diagnose(err, v)
	out.Class, out.Field = cause.Class, cause.Field
	response, answered := answer(err)
	switch {
	case v.cause != nil:
		out.Err = fmt.Errorf("%w: %w", v.kind, v.cause)
	case errors.Is(err, statestore.ErrStale):
		out.Err = err
	case answered:
		out.Err = fmt.Errorf("%w: %s%s", v.kind, s.oneLine(response.Code), actionOf(err))
		out.Remote = s.oneLine(response.Message)
	case !errors.Is(v.kind, statestore.ErrStale):
		out.Err = fmt.Errorf("%w: %s", v.kind, s.oneLine(err.Error()))
	}
	return out
}

func actionOf(err error) string {
	var d actionError
	if !errors.As(err, &d) {
		return ""
	}
	return " for " + string(d.action)
}

// answer returns the S3 error response in err, and whether the server has sent it.
func answer(err error) (minio.ErrorResponse, bool) {
	var response minio.ErrorResponse
	ok := errors.As(err, &response)
	return response, ok && response.RequestID != "minio"
}

func (s *Store) judge(err error) verdict {
	var (
		blocked conflict
		refused refusedFiles
		nobody  noCredentials
		verify  *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		dns     *net.DNSError
		dial    *net.OpError
	)
	response, answered := answer(err)
	switch {
	case errors.Is(err, statestore.ErrStale):
		return verdict{kind: statestore.ErrStale}
	case errors.Is(err, context.Canceled):
		return verdict{kind: statestore.ErrUnavailable, cause: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return verdict{kind: statestore.ErrUnavailable, cause: context.DeadlineExceeded}
	case errors.As(err, &blocked):
		return verdict{kind: statestore.ErrContentRefused, fix: fixConflict, paths: blocked.paths, cause: blocked}
	case errors.As(err, &refused):
		fix := orElse(s.judgeAnswer(response, err).fix, fixRefused)
		return verdict{kind: statestore.ErrContentRefused, fix: fix, paths: refused.paths}
	case errors.As(err, &nobody):
		return verdict{kind: statestore.ErrDenied, fix: fixIAM}
	case answered:
		return s.judgeAnswer(response, err)
	case errors.As(err, &verify), errors.As(err, &unknown):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixCA}
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixPlain}
	case errors.As(err, &dns), errors.As(err, &dial):
		return verdict{kind: statestore.ErrUnavailable, fix: fixReach}
	case errors.As(err, new(transport.SilenceError)), errors.Is(err, transport.ErrConnectionClosed), cutOff(err):
		return verdict{kind: statestore.ErrUnavailable, fix: fixWire}
	}
	return verdict{kind: statestore.ErrUnavailable}
}

// isContent reports whether the server has rejected one object because of its key or its content.
func isContent(err error) bool {
	response, answered := answer(err)
	if !answered {
		return false
	}
	switch response.Code {
	case "KeyTooLongError", "KeyTooLong", "InvalidArgument", "InvalidRequest", "InvalidURI", "XMinioInvalidObjectName", "InvalidObjectName",
		"XMinioInvalidResourceName", "EntityTooLarge", "EntityTooSmall", "MaxMessageLengthExceeded", "RequestEntityTooLarge",
		"ExistingObjectIsDirectory", "ObjectParentIsFile", "XMinioParentIsObject", "XMinioObjectExistsAsDirectory", "DirectoryObjectContainsData":
		return true
	}
	return response.StatusCode == http.StatusRequestEntityTooLarge || response.StatusCode == http.StatusRequestURITooLong
}

func orElse(fix, other string) string {
	if fix == fixEndpoint { // the server has accepted the marker
		return other
	}
	return fix
}

func (s *Store) judgeAnswer(response minio.ErrorResponse, err error) verdict {
	switch response.Code {
	case "NoSuchBucket", "InvalidBucketName":
		return verdict{kind: statestore.ErrMisconfigured, fix: fixBucket}
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
		return verdict{kind: statestore.ErrMisconfigured, fix: fixRegion(response.Region)}
	case "RequestTimeTooSkewed", "RequestExpired":
		return verdict{kind: statestore.ErrDenied, fix: fixClock}
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound", "XMinioAdminNoSuchUser", "InvalidToken", "InvalidTokenId",
		"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "AuthFailure":
		return verdict{kind: statestore.ErrDenied, fix: s.fixCredentialsOf()}
	case "SlowDown", "SlowDownRead", "SlowDownWrite", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded", "TooManyRequestsException":
		return verdict{kind: statestore.ErrUnavailable, fix: fixSlow}
	case "XMinioParentIsObject", "ExistingObjectIsDirectory", "ObjectParentIsFile", "XMinioObjectExistsAsDirectory":
		return verdict{kind: statestore.ErrMisconfigured, fix: fixConflict}
	case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded":
		return verdict{kind: statestore.ErrUnavailable, fix: fixFull}
	case "ObjectLocked", "InvalidObjectState":
		return verdict{kind: statestore.ErrDenied, fix: fixRetention}
	}
	return s.judgeStatus(response, err)
}

func (s *Store) judgeStatus(response minio.ErrorResponse, err error) verdict {
	switch status := response.StatusCode; {
	case response.Code == "AccessDenied", response.Code == "AllAccessDisabled", status == http.StatusForbidden, status == http.StatusUnauthorized:
		return verdict{kind: statestore.ErrDenied, fix: s.fixPolicyFor(err)}
	case strings.Contains(response.Message, "HTTP request to an HTTPS server"):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixSecure}
	case isMissing(response), isPrecondition(response):
		return verdict{kind: statestore.ErrStale}
	case status == http.StatusMovedPermanently, status == http.StatusTemporaryRedirect:
		return verdict{kind: statestore.ErrMisconfigured, fix: fixRegion(response.Region)}
	case status >= 500, status == 0, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return verdict{kind: statestore.ErrUnavailable}
	}
	return verdict{kind: statestore.ErrMisconfigured, fix: fixEndpoint}
}

func (s *Store) fixCredentialsOf() string {
	if s.secret == "" {
		return fixIAM
	}
	return fixKeys
}

func (s *Store) fixPolicyFor(err error) string {
	var d actionError
	errors.As(err, &d)
	on := s.bucket + "/" + s.prefix + "*"
	switch d.action {
	case "":
		return "allow the credentials to use bucket " + s.bucket
	case showing:
		on = s.bucket
	}
	return fmt.Sprintf("allow these credentials %s on %s in their policy or the bucket's", d.action, on)
}

const fixOtherRegion = "the bucket is in another region than requests are signed for: "

func fixRegion(region string) string {
	if region == "" {
		return fixOtherRegion + "correct key region of the Secret, or spec.endpoint"
	}
	return fixOtherRegion + fmt.Sprintf("it is in %s; correct key region of the Secret, or spec.endpoint", region)
}

func isMissing(err error) bool {
	response, ok := answer(err)
	return ok && response.StatusCode == http.StatusNotFound && response.Code != "NoSuchBucket" && !isUnknownUser(response.Code)
}

// oneLine returns the text in one line, without the secret key.
func (s *Store) oneLine(text string) string { return statestore.OneLine(text, s.secret) }
