package git

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

type knownHosts struct{ callback ssh.HostKeyCallback }

// parseKnownHosts parses the text of a known_hosts file for the server at an address.
//
// The library compares keys and hashed names, and supports @revoked. It matches patterns
// differently from ssh: a pattern without a port matches port 22 only, although ssh may match
// another port too. Therefore it gets only the lines that match this server, with the server's own
// name instead of the pattern, and the lines with hashed names. A revoked key is revoked for every
// server (see docs/decisions/libraries.md).
func parseKnownHosts(text, address string) (*knownHosts, error) {
	address = strings.ToLower(address)
	name := knownhosts.Normalize(address)
	var about strings.Builder
	rest, lines := []byte(text), 0
	for {
		marker, patterns, key, _, after, err := ssh.ParseKnownHosts(rest)
		switch {
		case errors.Is(err, io.EOF) && lines == 0:
			return nil, errors.New("key knownHosts of the Secret names no host")
		case errors.Is(err, io.EOF):
			callback, err := loadKnownHosts(about.String(), "/dev/fd")
			if err != nil {
				return nil, fmt.Errorf("key knownHosts of the Secret: %w", err)
			}
			return &knownHosts{callback}, nil
		case err != nil:
			return nil, fmt.Errorf("key knownHosts of the Secret: %w", err)
		case marker == "cert-authority":
			return nil, errors.New("key knownHosts of the Secret: @cert-authority is not supported")
		case marker == "revoked":
			about.WriteString("@revoked " + knownhosts.Line([]string{address}, key) + "\n")
		default:
			for _, spelling := range spellings(patterns, name) {
				about.WriteString(spelling + " " + string(ssh.MarshalAuthorizedKey(key)))
			}
		}
		rest, lines = after, lines+1
	}
}

// spellings returns the names that replace the patterns of a line: the server's own name if a
// pattern matches it, and all hashed names. It returns none if a negated pattern matches the name
// or is hashed.
func spellings(patterns []string, name string) []string {
	var names []string
	for _, pattern := range patterns {
		pattern, negated := strings.CutPrefix(pattern, "!")
		hashed := strings.HasPrefix(pattern, "|1|")
		switch {
		case negated && (hashed || matchesHost(pattern, name)):
			return nil
		case negated:
		case hashed && isHash(pattern):
			names = append(names, pattern)
		case !hashed && matchesHost(pattern, name):
			names = append(names, name)
		}
	}
	return names
}

// matchesHost reports whether a pattern matches the name of a server. In known_hosts, the name
// includes the port, unless the port is 22.
func matchesHost(pattern, name string) bool {
	// Here the brackets enclose the host. For path.Match they would be a character class.
	escape := strings.NewReplacer("[", `\[`, "]", `\]`)
	ok, err := path.Match(escape.Replace(strings.ToLower(pattern)), name)
	return ok && err == nil
}

// isHash reports whether the library can parse a pattern as a hashed name. If it cannot, it rejects
// the whole file.
func isHash(pattern string) bool {
	salt, sum, whole := strings.Cut(strings.TrimPrefix(pattern, "|1|"), "|")
	_, badSalt := base64.StdEncoding.DecodeString(salt)
	_, badSum := base64.StdEncoding.DecodeString(sum)
	return whole && badSalt == nil && badSum == nil
}

// loadKnownHosts parses lines with the library, which reads only files. Because a container may
// have no writable directory, the file is a pipe if openFiles, the directory of the process's open
// files, exists.
func loadKnownHosts(lines, openFiles string) (ssh.HostKeyCallback, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() {
		io.WriteString(in, lines) //nolint:errcheck // if the reader stops early, it returns its own error
		in.Close()                //nolint:errcheck // nothing is buffered
	}()
	callback, err := knownhosts.New(fmt.Sprintf("%s/%d", openFiles, out.Fd()))
	out.Close() //nolint:errcheck // it was only read from
	if _, unnamed := errors.AsType[*fs.PathError](err); !unnamed {
		return callback, err
	}
	file, err := os.CreateTemp("", "kratix-schedule-known-hosts-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // it holds no secret
	_, err = file.WriteString(lines)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return knownhosts.New(file.Name())
}

type unknownHost struct {
	host        string
	fingerprint string
	known       bool // the file has another key for this server
}

func (u unknownHost) Error() string {
	if u.known {
		return fmt.Sprintf("the server %s has the key %s, which is not the one in knownHosts: "+
			"either the server was reinstalled, or someone intercepts the connection", u.host, u.fingerprint)
	}
	return fmt.Sprintf("knownHosts has no key for the server %s; the server's is %s", u.host, u.fingerprint)
}

func (k *knownHosts) check(address string, _ net.Addr, key ssh.PublicKey) error {
	address = strings.ToLower(address)
	err := k.callback(address, &net.TCPAddr{}, key)
	if err == nil {
		return nil
	}
	host := knownhosts.Normalize(address)
	if _, revoked := errors.AsType[*knownhosts.RevokedError](err); revoked {
		return fmt.Errorf("the key of the server %s is revoked in knownHosts", host)
	}
	other, _ := errors.AsType[*knownhosts.KeyError](err)
	return unknownHost{host: host, fingerprint: ssh.FingerprintSHA256(key), known: other != nil && len(other.Want) > 0}
}

// algorithms returns the host key algorithms to request, so that the server presents a key of a
// kind that the file has.
func (k *knownHosts) algorithms(address string) []string {
	known, ok := errors.AsType[*knownhosts.KeyError](k.callback(strings.ToLower(address), &net.TCPAddr{}, noKey{}))
	if !ok {
		return nil
	}
	var names []string
	for _, line := range known.Want {
		kinds := []string{line.Key.Type()}
		if line.Key.Type() == ssh.KeyAlgoRSA {
			kinds = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		for _, kind := range kinds {
			if !slices.Contains(names, kind) {
				names = append(names, kind)
			}
		}
	}
	return names
}

// noKey is a key that no server has. The library's error about this key lists the known keys.
type noKey struct{}

func (noKey) Type() string { return "none" }

func (noKey) Marshal() []byte { return nil }

func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
