package bucket

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func (c Config) check() error {
	switch {
	case !c.Auth.IAM && (c.Auth.AccessKeyID == "" || c.Auth.SecretAccessKey == ""):
		return statestore.InField("spec.secretRef", errors.New("no access key is given, and IAM is not asked for"))
	case checkEndpoint(c.Endpoint) != nil:
		return statestore.InField("spec.endpoint", checkEndpoint(c.Endpoint))
	}
	return statestore.InField("spec.bucketName", checkName(c.Bucket, c.Endpoint))
}

func checkEndpoint(endpoint string) error {
	scheme, rest, found := strings.Cut(endpoint, "://")
	if !found {
		rest = endpoint
	}
	host, _, hasPath := strings.Cut(rest, "/")
	insecure := ""
	if scheme == "http" {
		insecure = " and set spec.insecure to true"
	}
	switch {
	case endpoint == "":
		return errors.New("no endpoint is named")
	case strings.Contains(host, "@"):
		return errors.New("the endpoint has a user in it: name the host alone; keys belong in the Secret")
	case found:
		return fmt.Errorf("endpoint %q has a scheme: write %s%s", endpoint, host, insecure)
	case hasPath:
		return fmt.Errorf("endpoint %q has a path: write %s", endpoint, host)
	case strings.ContainsAny(endpoint, " \t\n"):
		return fmt.Errorf("endpoint %q has white space in it", endpoint)
	}
	return nil
}

const (
	minName = 3
	maxName = 63
)

// checkName returns an error if a bucket's name is invalid. Amazon's rules are stricter than those
// of other providers.
func checkName(name, endpoint string) error {
	wrong := func(rule string) error { return fmt.Errorf("bucket name %q: %s", name, rule) }
	_, err := netip.ParseAddr(name)
	letters := "a-z, A-Z, 0-9, . - _ and :"
	amazon := isAmazon(endpoint)
	if amazon {
		letters = "a-z, 0-9, . and -"
	}
	switch {
	case name == "":
		return errors.New("no bucket is named")
	case strings.Contains(name, "://"):
		return wrong("it has a scheme: name the bucket alone")
	case strings.Contains(name, "/"):
		return wrong("it has a path: name the bucket alone, and put what is behind the slash into spec.path")
	case len(name) < minName || len(name) > maxName:
		return wrong(fmt.Sprintf("it has %d characters, and a name has %d to %d", len(name), minName, maxName))
	case err == nil:
		return wrong("it looks like an IP address")
	case strings.ContainsFunc(name, func(r rune) bool { return !isNameRune(r, amazon) }):
		return wrong("a name has only " + letters)
	case !isAlphanumeric(name[0]) || !isAlphanumeric(name[len(name)-1]):
		return wrong("it must begin and end with a letter or a digit")
	case strings.Contains(name, "..") || strings.Contains(name, ".-") || strings.Contains(name, "-."):
		return wrong("a dot must stand between letters or digits")
	}
	return nil
}

func isAmazon(endpoint string) bool {
	host, _, _ := strings.Cut(strings.ToLower(endpoint), ":")
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
}

func isNameRune(r rune, amazon bool) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-':
		return true
	}
	return !amazon && (r >= 'A' && r <= 'Z' || r == '_' || r == ':')
}

func isAlphanumeric(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b >= 'A' && b <= 'Z'
}
