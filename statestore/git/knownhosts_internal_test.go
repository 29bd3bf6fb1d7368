package git

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"math/rand"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func testKeys(t testing.TB) []ssh.PublicKey {
	t.Helper()
	var keys []ssh.PublicKey
	add := func(public any) {
		key, err := ssh.NewPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	random := rand.New(rand.NewSource(1))
	for range 2 {
		public, _, err := ed25519.GenerateKey(random)
		if err != nil {
			t.Fatal(err)
		}
		add(public)
	}
	private, err := rsa.GenerateKey(random, 2048)
	if err != nil {
		t.Fatal(err)
	}
	add(private.Public())
	public, _, err := ed25519.GenerateKey(random)
	if err != nil {
		t.Fatal(err)
	}
	add(public)
	return keys
}

func withKeys(text string, keys []ssh.PublicKey) string {
	var pairs []string
	for i, key := range keys {
		pairs = append(pairs, fmt.Sprintf("K%d", i), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func hashOf(name string) string {
	salt := []byte("0123456789abcdefghij")
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(name))
	return "|1|" + base64.StdEncoding.EncodeToString(salt) + "|" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestKnownHostsMatchByHostPortAndKey(t *testing.T) {
	keys := testKeys(t)
	const git22, git2222 = "git.example.com:22", "git.example.com:2222"
	ed, rsa2 := ssh.KeyAlgoED25519, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	for name, c := range map[string]struct {
		text, address string
		accepted      []int
		algorithms    []string
		unknown       string
	}{
		"a name is for port 22":                  {"git.example.com K0", git22, []int{0}, []string{ed}, "not the one"},
		"and for no other":                       {"git.example.com K0", git2222, nil, nil, "no key for the server [git.example.com]:2222"},
		"a port's line is for that port":         {"[git.example.com]:2222 K0", git2222, []int{0}, []string{ed}, "not the one"},
		"and for no other, 22":                   {"[git.example.com]:2222 K0", git22, nil, nil, "no key for the server git.example.com;"},
		"and for no other, 2223":                 {"[git.example.com]:2222 K0", "git.example.com:2223", nil, nil, "no key"},
		"port 22 is not spelled":                 {"[git.example.com]:22 K0", git22, nil, nil, "no key"},
		"a port needs brackets":                  {"git.example.com:22 K0", git22, nil, nil, "no key"},
		"a port needs brackets, 2222":            {"git.example.com:2222 K0", git2222, nil, nil, "no key"},
		"a star is for every port":               {"* K0", git2222, []int{0}, []string{ed}, "not the one"},
		"a star does not open ports to names":    {"* K1\ngit.example.com K0", git2222, []int{1}, []string{ed}, "not the one"},
		"a star elsewhere opens no port to one":  {"*.org K1\ngit.example.com K0", git2222, nil, nil, "no key"},
		"a star elsewhere, negated, neither":     {"*,!x K1\n!y,git.example.com K0", git2222, []int{1}, []string{ed}, "not the one"},
		"a name with a star is for port 22":      {"*.example.com K0", git22, []int{0}, []string{ed}, "not the one"},
		"and for no other port":                  {"*.example.com K0", git2222, nil, nil, "no key"},
		"unless the star may hold the bracket":   {"*.example.com]:2222 K0", git2222, []int{0}, []string{ed}, "not the one"},
		"or both do":                             {"*example* K0", git2222, []int{0}, []string{ed}, "not the one"},
		"a star for the port":                    {"[git.example.com]:* K0", git2222, []int{0}, []string{ed}, "not the one"},
		"a star in a port's line":                {"[*.example.com]:2222 K0", git2222, []int{0}, []string{ed}, "not the one"},
		"a question mark is one letter":          {"gi?.example.com K0\ngi?t.example.com K1", git22, []int{0}, []string{ed}, "not the one"},
		"negation":                               {"*,!git.example.com K0", git22, nil, nil, "no key"},
		"negation first":                         {"!git.example.com,* K0", git22, nil, nil, "no key"},
		"negation of the name is not the port's": {"*,!git.example.com K0", git2222, []int{0}, []string{ed}, "not the one"},
		"negation of the port's":                 {"*,![git.example.com]:2222 K0", git2222, nil, nil, "no key"},
		"negation alone matches nothing":         {"!other.example.com K0", git22, nil, nil, "no key"},
		"negation on one line":                   {"*,!git.example.com K0\ngit.example.com K1", git22, []int{1}, []string{ed}, "not the one"},
		"hashed":                                 {hashOf("git.example.com") + " K0", git22, []int{0}, []string{ed}, "not the one"},
		"hashed, for another port":               {hashOf("git.example.com") + " K0", git2222, nil, nil, "no key"},
		"hashed with a port":                     {hashOf("[git.example.com]:2222") + " K0", git2222, []int{0}, []string{ed}, "not the one"},
		"hashed with a port, for 22":             {hashOf("[git.example.com]:2222") + " K0", git22, nil, nil, "no key"},
		"hashed beside a name":                   {hashOf("a") + "," + hashOf("git.example.com") + ",b K0", git22, []int{0}, []string{ed}, "not the one"},
		"a broken hash is nobody":                {"|1|x|y K0\n|1|MDEy K1\n|2|a|b K1\ngit.example.com K2", git22, []int{2}, rsa2, "not the one"},
		"capitals":                               {"GIT.example.COM K0", "Git.Example.com:22", []int{0}, []string{ed}, "not the one"},
		"an IPv6 address":                        {"::1 K0\n[::1]:2222 K1", "[::1]:22", []int{0}, []string{ed}, "the server ::1 has"},
		"an IPv6 address with a port":            {"::1 K0\n[::1]:2222 K1", "[::1]:2222", []int{1}, []string{ed}, "[::1]:2222"},
		"revoked by any line":                    {"@revoked other.example.com K0\ngit.example.com K0", git22, nil, []string{ed}, "not the one"},
		"revoked after":                          {"git.example.com K0\ngit.example.com K2\n@revoked * K0", git22, []int{2}, append([]string{ed}, rsa2...), "not the one"},
		"revoked only":                           {"@revoked * K0", git22, nil, nil, "no key"},
		"types in the order of the lines":        {"git.example.com K2\n" + hashOf("git.example.com") + " K1\n* K0", git22, []int{0, 1, 2}, append(slices.Clone(rsa2), ed), "not the one"},
		"comments and blank lines":               {"\n# who is who\n  git.example.com K0 here\r\n\n", git22, []int{0}, []string{ed}, "not the one"},
	} {
		t.Run(name, func(t *testing.T) {
			text := withKeys(c.text, keys)
			hosts, err := parseKnownHosts(text, c.address)
			if err != nil {
				t.Fatal(err)
			}
			for i, key := range keys {
				err := hosts.check(c.address, nil, key)
				if (err == nil) != slices.Contains(c.accepted, i) {
					t.Errorf("K%d: %v", i, err)
				}
			}
			if err := hosts.check(c.address, nil, keys[3]); err == nil || !strings.Contains(err.Error(), c.unknown) {
				t.Errorf("%v, want %q", err, c.unknown)
			}
			if got := hosts.algorithms(c.address); !slices.Equal(got, c.algorithms) {
				t.Errorf("asks for %v, want %v", got, c.algorithms)
			}
			compareWithFormer(t, text, c.address, keys)
		})
	}
}

func TestInvalidKnownHostsAreRejected(t *testing.T) {
	keys := testKeys(t)
	for text, want := range map[string]string{
		"":                                    "names no host",
		"# nobody\n":                          "names no host",
		"@cert-authority *.example.com K0":    "@cert-authority is not supported",
		"a K0\n@cert-authority * K1":          "@cert-authority is not supported",
		"a ssh-ed25519 AAAA":                  "key knownHosts of the Secret: ",
		"a":                                   "names no host",
		"a ssh-ed25519":                       "invalid entry",
		strings.Replace("a K0", "K0", "x", 1): "invalid entry",
		"a " + strings.Replace(withKeys("K0", keys), "ssh-ed25519", "ssh-rsa", 1): "type mismatch",
	} {
		text = withKeys(text, keys)
		if _, err := parseKnownHosts(text, "a:22"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		compareWithFormer(t, text, "a:22", keys)
	}
}

func TestCertificateIsNotAKnownKey(t *testing.T) {
	keys := testKeys(t)
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	certificate := &ssh.Certificate{Key: keys[0], CertType: ssh.HostCert, ValidBefore: ssh.CertTimeInfinity}
	if err := certificate.SignCert(rand.New(rand.NewSource(1)), signer); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"a K0", "a " + string(ssh.MarshalAuthorizedKey(certificate)), "a " + string(ssh.MarshalAuthorizedKey(signer.PublicKey()))} {
		hosts, err := parseKnownHosts(withKeys(line, keys), "a:22")
		if err != nil {
			t.Fatal(err)
		}
		if err := hosts.check("a:22", nil, certificate); err == nil {
			t.Errorf("%s: accepted", line)
		}
	}
}

// TestKnownHostsNeedNoTemporaryDirectory uses more lines than the buffer of a pipe holds.
func TestKnownHostsNeedNoTemporaryDirectory(t *testing.T) {
	keys := testKeys(t)
	t.Setenv("TMPDIR", t.TempDir()+"/missing")
	var lines strings.Builder
	for i := range 5000 {
		lines.WriteString(hashOf(fmt.Sprintf("host-%d.example.com", i)) + withKeys(" K0\n", keys))
	}
	hosts, err := parseKnownHosts(lines.String()+withKeys("a K1", keys), "a:22")
	if err != nil {
		t.Fatal(err)
	}
	if err := hosts.check("a:22", nil, keys[1]); err != nil {
		t.Error(err)
	}
	if _, err := loadKnownHosts(withKeys("a K0\n", keys), "/missing"); err == nil {
		t.Error("no directory, and no error")
	}
	t.Setenv("TMPDIR", t.TempDir())
	callback, err := loadKnownHosts(withKeys("a K0\n", keys), "/missing")
	if err != nil {
		t.Fatal(err)
	}
	if err := callback("a:22", &net.TCPAddr{}, keys[0]); err != nil {
		t.Error(err)
	}
}

func compareWithFormer(t *testing.T, text, address string, keys []ssh.PublicKey) {
	t.Helper()
	former, errFormer := parseFormerHosts(text)
	hosts, err := parseKnownHosts(text, address)
	if fmt.Sprint(err) != fmt.Sprint(errFormer) {
		t.Fatalf("%q\nread: %v\nbefore: %v", text, err, errFormer)
	}
	if err != nil {
		return
	}
	if got, want := hosts.algorithms(address), former.algorithms(address); !slices.Equal(got, want) {
		t.Errorf("%q\n%s is asked for %v, before for %v", text, address, got, want)
	}
	for _, key := range keys {
		got, want := hosts.check(address, nil, key), former.check(address, nil, key)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q\n%s with %s: %v\nbefore: %v", text, address, ssh.FingerprintSHA256(key), got, want)
		}
	}
}

func FuzzKnownHosts(f *testing.F) {
	keys := testKeys(f)
	for _, seed := range []string{
		"* K0\na K1", "a,!b K0", "[a]:2222 K0\n@revoked * K1", "H0 K0\nH1,a K2\nH2 K1", "*,!H0 K0", "!H1,H0 K0", "[*]:2222,?,![b]:* K0 comment",
		"a* K0\r\n# x\n@cert-authority a K1", "|1|x|y,|1|,|,! K0", "a\\b,\x01,[,],]:[ K0", "::1,[::1]:2222 K0",
	} {
		for _, host := range []string{"a", "B", "a.b", "::1"} {
			f.Add(seed, host, uint16(22))
			f.Add(seed, host, uint16(2222))
		}
	}
	f.Fuzz(func(t *testing.T, text, host string, port uint16) {
		_, err := netip.ParseAddr(host)
		if err != nil && (strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != "" || host == "") {
			t.Skip("no host")
		}
		if strings.Contains(text, "-cert-v01@") {
			t.Skip("see TestCertificateIsNotAKnownKey")
		}
		for i, name := range []string{"a", "[a]:2222", "a.b"} {
			text = strings.ReplaceAll(text, fmt.Sprintf("H%d", i), hashOf(name))
		}
		text = withKeys(text, keys[:3])
		address := net.JoinHostPort(host, strconv.FormatUint(uint64(port), 10))
		if strings.Contains(text, "!|1|") { // unlike the library, formerHosts supports negated hashes
			former, _ := parseFormerHosts(text)
			hosts, err := parseKnownHosts(text, address)
			for _, key := range keys {
				if err == nil && hosts.check(address, nil, key) == nil && former.check(address, nil, key) != nil {
					t.Errorf("%q\n%s is accepted", text, address)
				}
			}
			return
		}
		compareWithFormer(t, text, address, keys)
	})
}
