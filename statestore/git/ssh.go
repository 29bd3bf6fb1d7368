package git

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/net/proxy"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// SSH is a private key to log in with, and the host keys to trust.
type SSH struct {
	// PrivateKey is a private key in PEM. Passphrase decrypts the key if it is encrypted.
	PrivateKey, Passphrase string
	// KnownHosts is the text of a known_hosts file. It may be empty only if Config.Insecure is set.
	KnownHosts string
}

// shells starts services over one ssh connection, which stays open between them.
type shells struct {
	address string
	path    string
	config  *ssh.ClientConfig
	dial    dialFunc
	host    *host

	mu   sync.Mutex
	open *connection
}

var _ launcher = (*shells)(nil)

func sshRemote(config Config, parsed *url.URL, near *sharedHosts) (*remote, error) {
	if parsed.Hostname() == "" {
		return nil, errors.New("the URL names no host")
	}
	address := net.JoinHostPort(parsed.Hostname(), orDefault(parsed.Port(), "22"))
	client, err := sshConfig(config, orDefault(parsed.User.Username(), "git"), address)
	if err != nil {
		return nil, statestore.InField("spec.secretRef", err)
	}
	path := parsed.Path
	if rest, ok := strings.CutPrefix(path, "/~"); ok {
		path = "~" + rest
	}
	server, rest := near.get(strings.ToLower(address), config.Auth)
	started := &shells{address: address, path: path, config: client, dial: guardedDial(proxy.Dial, config.Silence), host: server}
	password, _ := parsed.User.Password()
	return &remote{
		client:    pipedTransport{started},
		closeIdle: started.close,
		pause:     rest,
		credentials: fixed{hidden: []string{
			password, config.Auth.SSH.Passphrase, config.Auth.SSH.PrivateKey,
		}},
	}, nil
}

// sshConfig returns the ssh configuration for a server. It requires known hosts, unless the store
// is insecure.
func sshConfig(config Config, user, address string) (*ssh.ClientConfig, error) {
	auth := config.Auth.SSH
	if auth.PrivateKey == "" {
		return nil, errors.New("an ssh URL needs authMethod ssh, and a Secret with the keys sshPrivateKey and knownHosts")
	}
	signer, err := parseSSHKey("sshPrivateKey", "password", auth.PrivateKey, auth.Passphrase)
	if err != nil {
		return nil, err
	}
	made := &ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}}
	if config.Insecure && auth.KnownHosts == "" {
		made.HostKeyCallback = ssh.InsecureIgnoreHostKey() //nolint:gosec // only when the store's spec says so
		return made, nil
	}
	known, err := parseKnownHosts(auth.KnownHosts, address)
	if err != nil {
		return nil, err
	}
	made.HostKeyCallback = known.check
	made.HostKeyAlgorithms = known.algorithms(address)
	return made, nil
}

// parseSSHKey parses a private key. name and passphraseName are the keys of the Secret, for errors.
func parseSSHKey(name, passphraseName, key, passphrase string) (ssh.Signer, error) {
	pem := []byte(strings.TrimSpace(key) + "\n")
	signer, err := ssh.ParsePrivateKey(pem)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		if passphrase == "" {
			return nil, fmt.Errorf("key %s of the Secret is encrypted, and there is no key %s with its passphrase", name, passphraseName)
		}
		signer, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(passphrase))
	}
	if err != nil {
		return nil, fmt.Errorf("key %s of the Secret cannot be read as a private key: %w", name, err)
	}
	return signer, nil
}

func (s *shells) launch(ctx context.Context, name string) (*service, error) {
	opened, session, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	said := &transcript{}
	session.Stderr = said
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := opened.start(ctx, session, name+" "+quoted(s.path)); err != nil {
		session.Close() //nolint:errcheck // the first error is returned
		return nil, err
	}
	return &service{
		in: in, out: out, words: said,
		leave: func() { session.Close() }, //nolint:errcheck // it may have ended
		kill: sync.OnceFunc(func() {
			opened.close()
			session.Wait() //nolint:errcheck // it completes the output
		}),
	}, nil
}

func (s *shells) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil {
		s.open.close()
		s.open = nil
	}
}

// session opens a session on the open connection, or on a new one.
func (s *shells) session(ctx context.Context) (*connection, *ssh.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil {
		if session, err := s.open.session(ctx); err == nil {
			return s.open, session, nil
		}
		s.open.close()
		s.open = nil
	}
	made, err := s.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.open = made
	session, err := made.session(ctx)
	return made, session, err
}

func (s *shells) connect(ctx context.Context) (*connection, error) {
	if err := s.host.enter(ctx); err != nil {
		return nil, err
	}
	defer s.host.leave()
	conn, err := s.dial(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() }) //nolint:errcheck // this only ends the wait
	defer stop()
	client, channels, requests, err := ssh.NewClientConn(conn, s.address, s.config)
	if err != nil {
		conn.Close() //nolint:errcheck // the first error is returned
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return newConnection(ssh.NewClient(client, channels, requests)), nil
}

func quoted(path string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(path) + "'"
}
