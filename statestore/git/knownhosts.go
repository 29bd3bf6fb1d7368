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

// parseKnownHosts parses the text of a known_hosts file for the server at an address. A revoked key
// is revoked for every server.
//
// The library matches patterns differently from ssh. Therefore it gets the server's own name
// instead of each pattern that matches (see docs/decisions/libraries.md).
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

// spellings returns the names to write instead of the patterns of a line. It returns none if the
// line is left out.
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

// matchesHost reports whether a pattern matches the name of a server. The name includes the port,
// unless the port is 22.
func matchesHost(pattern, name string) bool {
	// Brackets enclose the host here. For path.Match they would be a character class.
	escape := strings.NewReplacer("[", `\[`, "]", `\]`)
	ok, err := path.Match(escape.Replace(strings.ToLower(pattern)), name)
	return ok && err == nil
}

// isHash reports whether the library can parse a hashed name. If not, the library would reject the
// whole file.
func isHash(pattern string) bool {
	salt, sum, whole := strings.Cut(strings.TrimPrefix(pattern, "|1|"), "|")
	_, badSalt := base64.StdEncoding.DecodeString(salt)
	_, badSum := base64.StdEncoding.DecodeString(sum)
	return whole && badSalt == nil && badSum == nil
}

// loadKnownHosts parses lines with the library, which reads only files. The file is a pipe in the
// directory openFiles, because a container may have no writable directory.
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
	known       bool // knownHosts has another key for this server
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

// algorithms returns the host key algorithms for which the server has a known key.
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

// noKey is a key that no server has. The library's error about it lists the known keys.
type noKey struct{}

func (noKey) Type() string { return "none" }

func (noKey) Marshal() []byte { return nil }

func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
