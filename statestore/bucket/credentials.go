package bucket

import (
	"cmp"
	"os"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

func newCredentials(auth Auth) *credentials.Credentials {
	switch {
	case !auth.IAM:
		return credentials.NewStaticV4(auth.AccessKeyID, auth.SecretAccessKey, "")
	case os.Getenv("AWS_ACCESS_KEY_ID") != "" || os.Getenv("AWS_ACCESS_KEY") != "":
		return credentials.NewEnvAWS()
	}
	return credentials.New(&role{})
}

// role retrieves credentials of a web identity, a container or an instance. It returns an error if
// there are none.
type role struct {
	credentials.IAM
	last credentials.Value
}

var _ credentials.Provider = (*role)(nil)

const (
	// retryInterval is the maximum time between a failed attempt to renew credentials and the next
	// attempt.
	retryInterval = 10 * time.Second
	// margin is how long former credentials must still be valid to be used after a failed attempt.
	margin = time.Second
)

// RetrieveWithCredContext retrieves credentials. If this fails, it returns the former credentials
// while they are valid.
func (r *role) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	r.Endpoint = endpoint()
	value, err := r.IAM.RetrieveWithCredContext(cc)
	if err == nil {
		r.last = value
		return value, nil
	}
	if r.CurrentTime == nil { // the field is set with the first credentials
		return value, noCredentials{err}
	}
	now := r.CurrentTime()
	left := r.last.Expiration.Sub(now) - margin
	if left <= 0 {
		return value, noCredentials{err}
	}
	r.SetExpiration(now.Add(min(retryInterval, left)), 0)
	return r.last, nil
}

// endpoint returns the endpoint for credentials that environment variables of Amazon's tools name,
// or "" if the library chooses it.
func endpoint() string {
	container := cmp.Or(os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
	switch {
	case os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "":
		return os.Getenv("AWS_ENDPOINT_URL_STS")
	case container == "":
		return os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT")
	}
	return ""
}

type noCredentials struct{ error }

func (e noCredentials) Error() string { return "there are no credentials: " + e.error.Error() }
func (e noCredentials) Unwrap() error { return e.error }
