package git

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
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

// formerHosts is an independent implementation for comparison.
type formerHosts struct{ lines []formerHost }

type formerHost struct {
	revoked  bool
	patterns []string
	key      ssh.PublicKey
}

func parseFormerHosts(text string) (*formerHosts, error) {
	known := &formerHosts{}
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
		known.lines = append(known.lines, formerHost{revoked: marker == "revoked", patterns: patterns, key: key})
		rest = after
	}
}

func (k *formerHosts) check(address string, _ net.Addr, key ssh.PublicKey) error {
	host := formerName(address)
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

func (k *formerHosts) algorithms(address string) []string {
	var names []string
	for _, line := range k.lines {
		if line.revoked || !line.matches(formerName(address)) {
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

func formerName(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if port == "22" {
		return strings.ToLower(host)
	}
	return "[" + strings.ToLower(host) + "]:" + port
}

func (k formerHost) matches(host string) bool {
	matched := false
	for _, pattern := range k.patterns {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if !formerMatchesHost(pattern, host) {
			continue
		}
		if negated {
			return false
		}
		matched = true
	}
	return matched
}

func formerMatchesHost(pattern, host string) bool {
	if salted, ok := strings.CutPrefix(pattern, "|1|"); ok {
		return formerMatchesHash(salted, host)
	}
	// Brackets enclose the host here. For path.Match they would be a character class.
	escape := strings.NewReplacer("[", `\[`, "]", `\]`)
	ok, err := path.Match(escape.Replace(strings.ToLower(pattern)), host)
	return ok && err == nil
}

func formerMatchesHash(salted, host string) bool {
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
