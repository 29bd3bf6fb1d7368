package git

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the format asks for it
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// knownHosts says which keys servers must have. It is read from memory: the
// library of the same name wants files, and an image need not have any.
type knownHosts struct{ lines []knownHost }

type knownHost struct {
	revoked  bool
	patterns []string
	key      ssh.PublicKey
}

// parseKnownHosts reads the text of a known_hosts file.
func parseKnownHosts(text string) (*knownHosts, error) {
	known := &knownHosts{}
	rest := []byte(text)
	for {
		marker, patterns, key, _, after, err := ssh.ParseKnownHosts(rest)
		switch {
		case errors.Is(err, io.EOF) && len(known.lines) == 0:
			return nil, errors.New("key knownHosts of the Secret names no host")
		case errors.Is(err, io.EOF):
			return known, nil
		case err != nil:
			return nil, fmt.Errorf("key knownHosts of the Secret: %w", err)
		case marker == "cert-authority":
			return nil, errors.New("key knownHosts of the Secret: @cert-authority is not supported")
		}
		known.lines = append(known.lines, knownHost{revoked: marker == "revoked", patterns: patterns, key: key})
		rest = after
	}
}

// unknownHost is a server whose key is not the one it should have.
type unknownHost struct {
	host        string
	fingerprint string
	known       bool // under another key
}

func (u unknownHost) Error() string {
	if u.known {
		return fmt.Sprintf("the server %s has the key %s, which is not the one in knownHosts: "+
			"either the server was set up anew, or someone is between", u.host, u.fingerprint)
	}
	return fmt.Sprintf("knownHosts has no key for the server %s; the server's is %s", u.host, u.fingerprint)
}

// check is an ssh.HostKeyCallback.
func (k *knownHosts) check(address string, _ net.Addr, key ssh.PublicKey) error {
	host := knownName(address)
	wrong := unknownHost{host: host, fingerprint: ssh.FingerprintSHA256(key)}
	found := false
	for _, line := range k.lines {
		same := bytes.Equal(line.key.Marshal(), key.Marshal())
		switch {
		case line.revoked && same:
			return fmt.Errorf("the key of the server %s is revoked in knownHosts", host)
		case line.revoked || !line.matches(host):
		case same:
			found = true
		default:
			wrong.known = true
		}
	}
	if found {
		return nil
	}
	return wrong
}

// algorithms are what to ask of a server, so that it shows a key that is known.
func (k *knownHosts) algorithms(address string) []string {
	var names []string
	for _, line := range k.lines {
		if line.revoked || !line.matches(knownName(address)) {
			continue
		}
		kinds := []string{line.key.Type()}
		if line.key.Type() == ssh.KeyAlgoRSA {
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

// knownName is how known_hosts spells an address: the port only when it is not 22.
func knownName(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if port == "22" {
		return strings.ToLower(host)
	}
	return "[" + strings.ToLower(host) + "]:" + port
}

func (k knownHost) matches(host string) bool {
	matched := false
	for _, pattern := range k.patterns {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if !matchesHost(pattern, host) {
			continue
		}
		if negated {
			return false
		}
		matched = true
	}
	return matched
}

func matchesHost(pattern, host string) bool {
	if salted, ok := strings.CutPrefix(pattern, "|1|"); ok {
		return matchesHash(salted, host)
	}
	// Brackets hold a port here; for path.Match they would be a class.
	escape := strings.NewReplacer("[", `\[`, "]", `\]`)
	ok, err := path.Match(escape.Replace(strings.ToLower(pattern)), host)
	return ok && err == nil
}

func matchesHash(salted, host string) bool {
	salt, sum, _ := strings.Cut(salted, "|")
	key, err := base64.StdEncoding.DecodeString(salt)
	if err != nil {
		return false
	}
	want, err := base64.StdEncoding.DecodeString(sum)
	if err != nil {
		return false
	}
	mac := hmac.New(sha1.New, key)
	mac.Write([]byte(host))
	return hmac.Equal(mac.Sum(nil), want)
}
