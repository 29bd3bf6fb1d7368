package git

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/golang-jwt/jwt/v5"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// GitHubApp is an installation of a GitHub App.
type GitHubApp struct {
	ID, Installation string
	// PrivateKey is an RSA private key in PEM.
	PrivateKey string
	// APIURL is the URL of the API. The default is DefaultGitHubAPI.
	APIURL string
}

// DefaultGitHubAPI is the URL of the API of github.com.
const DefaultGitHubAPI = "https://api.github.com"

// appUser is the user name that GitHub expects with the token of a GitHub App.
const appUser = "x-access-token"

const (
	// renewBefore is the time before the expiry of a token at which the token is replaced.
	renewBefore = 5 * time.Minute
	// GitHub accepts JWTs that are valid for up to ten minutes. jwtDrift allows for a clock that is
	// ahead.
	jwtLife  = 9 * time.Minute
	jwtDrift = time.Minute
	maxToken = 1 << 20 // in bytes
)

type appLogin struct {
	app    GitHubApp
	url    string
	key    *rsa.PrivateKey
	client *http.Client
	now    func() time.Time

	mu     sync.Mutex
	token  string
	expiry time.Time
}

var _ credentials = (*appLogin)(nil)

func newAppLogin(app GitHubApp, client *http.Client, now func() time.Time) (*appLogin, error) {
	if _, err := strconv.ParseUint(app.Installation, 10, 63); err != nil {
		return nil, errors.New("key installationID of the Secret is not a number")
	}
	api, err := url.Parse(orDefault(app.APIURL, DefaultGitHubAPI))
	if err != nil || api.Host == "" || (api.Scheme != "https" && api.Scheme != "http") {
		return nil, errors.New("key apiURL of the Secret is not an http or https URL")
	}
	key, err := parseRSA(app.PrivateKey)
	if err != nil {
		return nil, err
	}
	return &appLogin{
		app: app, key: key, client: client, now: now,
		url: api.JoinPath("app/installations", app.Installation, "access_tokens").String(),
	}, nil
}

func parseRSA(text string) (*rsa.PrivateKey, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(strings.TrimSpace(text)))
	switch {
	case errors.Is(err, jwt.ErrKeyMustBePEMEncoded):
		return nil, errors.New("key privateKey of the Secret is not PEM encoded")
	case err != nil:
		return nil, errors.New("key privateKey of the Secret is not an RSA private key")
	}
	return key, nil
}

func (a *appLogin) login(ctx context.Context) (transport.AuthMethod, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == "" || !a.now().Add(renewBefore).Before(a.expiry) {
		if err := a.renew(ctx); err != nil {
			return nil, err
		}
	}
	return &githttp.BasicAuth{Username: appUser, Password: a.token}, nil
}

func (a *appLogin) refused() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expiry = time.Time{}
}

func (a *appLogin) secrets() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return []string{a.token, basic(appUser, a.token), a.app.PrivateKey}
}

func (a *appLogin) renew(ctx context.Context) error {
	signed, err := a.sign()
	if err != nil {
		return err
	}
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, http.NoBody)
	if err != nil {
		return err
	}
	ask.Header.Set("Authorization", "Bearer "+signed)
	ask.Header.Set("Accept", "application/vnd.github+json")
	response, err := a.client.Do(ask)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct {
		Token   string    `json:"token"`
		Expiry  time.Time `json:"expires_at"`
		Message string    `json:"message"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, maxToken)).Decode(&answer)
	if response.StatusCode != http.StatusCreated || err != nil || answer.Token == "" {
		said := strings.ReplaceAll(answer.Message, signed, "***")
		limit := statusError{code: response.StatusCode, header: response.Header, words: said}
		return appError{status: response.StatusCode, words: said, wait: limit.wait()}
	}
	a.token, a.expiry = answer.Token, answer.Expiry
	return nil
}

func (a *appLogin) sign() (string, error) {
	now := a.now()
	return jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iat": now.Add(-jwtDrift).Unix(), "exp": now.Add(jwtLife).Unix(), "iss": a.app.ID,
	}).SignedString(a.key)
}

type appError struct {
	status int
	words  string
	wait   time.Duration
}

func (e appError) Error() string {
	return fmt.Sprintf("GitHub gave no token for the app (status %d)", e.status)
}

func (e appError) verdict() verdict {
	v := verdict{kind: statestore.ErrDenied, remote: e.words, fix: fixApp, wait: e.wait}
	if e.status >= http.StatusInternalServerError || e.status == http.StatusTooManyRequests || e.wait > 0 {
		v.kind, v.fix = statestore.ErrUnavailable, ""
	}
	return v
}
