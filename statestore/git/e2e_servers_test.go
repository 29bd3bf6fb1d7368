//go:build e2e

package git_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func openSSH(t *testing.T) git.Config {
	t.Helper()
	shell := gittest.OpenSSH(t)
	return git.Config{
		URL:  shell.URL,
		Auth: git.Auth{SSH: git.SSH{PrivateKey: shell.Locked, Passphrase: shell.Passphrase, KnownHosts: shell.KnownHosts}},
	}
}

func TestE2EStoreOverOpenSSH(t *testing.T) {
	config := openSSH(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		repository := gittest.Bare(t)
		config := config
		config.URL += repository
		return fixture(t, repository, config)
	})
	t.Run("probe", func(t *testing.T) {
		repository := gittest.Bare(t)
		config := config
		config.URL += repository
		checkProbe(t, repository, config)
	})
	t.Run("a repository that is not there", func(t *testing.T) {
		config := config
		config.URL += "/nothing/here.git"
		for _, err := range both(t, config) {
			if told := wantError(t, err, statestore.ErrMisconfigured); !strings.Contains(told.Error(), "does not appear to be a git repository") {
				t.Error(err)
			}
		}
	})
	t.Run("a key that is not known", func(t *testing.T) {
		config := config
		_, config.Auth.SSH.PrivateKey = gittest.NewKey(t, "")
		for _, err := range both(t, config) {
			wantError(t, err, statestore.ErrDenied)
		}
	})
}

func nginxServer(t *testing.T, root string) git.Config {
	t.Helper()
	dir := t.TempDir()
	cert, key := certificate(t)
	address := gittest.FreeAddress(t)
	socket := filepath.Join(dir, "fcgi.sock")
	fcgiwrap, err := exec.LookPath("fcgiwrap")
	if err != nil {
		fcgiwrap = "/usr/sbin/fcgiwrap"
	}
	settings := []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.receivepack", "GIT_CONFIG_VALUE_0=true"}
	gittest.Daemon(t, socket, settings, fcgiwrap, "-c", "2", "-s", "unix:"+socket)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	account := ""
	if me.Uid == "0" {
		account = "user root;"
	}
	conf := fmt.Sprintf(`
daemon off; %s pid %s/pid; error_log %s/log;
events {}
http {
  access_log off; client_max_body_size 0;
  client_body_temp_path %s/body; fastcgi_temp_path %s/fcgi; proxy_temp_path %s/proxy; uwsgi_temp_path %s/uwsgi; scgi_temp_path %s/scgi;
  server {
    listen %s ssl; ssl_certificate %s; ssl_certificate_key %s;
    auth_basic git; auth_basic_user_file %s;
    location / {
      fastcgi_pass unix:%s;
      fastcgi_param SCRIPT_FILENAME %s/git-http-backend;
      fastcgi_param GIT_PROJECT_ROOT %s; fastcgi_param GIT_HTTP_EXPORT_ALL 1; fastcgi_param PATH_INFO $uri;
      fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_USER $remote_user; fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_param GIT_PROTOCOL $http_git_protocol; fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param GIT_CONFIG_COUNT 1; fastcgi_param GIT_CONFIG_KEY_0 http.receivepack; fastcgi_param GIT_CONFIG_VALUE_0 true;
    }
  }
}
`, account, dir, dir, dir, dir, dir, dir, dir, address,
		gittest.Write(t, filepath.Join(dir, "cert"), cert, 0o600), gittest.Write(t, filepath.Join(dir, "key"), key, 0o600),
		gittest.Write(t, filepath.Join(dir, "users"), gittest.User+":{PLAIN}"+gittest.Password+"\n", 0o600),
		socket, gittest.Git(t, root, "--exec-path"), root)
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		nginx = "/usr/sbin/nginx"
	}
	gittest.Daemon(t, address, nil, nginx, "-e", filepath.Join(dir, "log"), "-c", gittest.Write(t, filepath.Join(dir, "nginx.conf"), conf, 0o600))
	return git.Config{
		URL: "https://" + address, CABundle: []byte(cert),
		Auth: git.Auth{Username: gittest.User, Password: gittest.Password},
	}
}

func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs)
}

func TestE2EStoreOverNginx(t *testing.T) {
	root := t.TempDir()
	config := nginxServer(t, root)
	n := 0
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		n++
		repository := filepath.Join(root, fmt.Sprintf("store%d.git", n))
		gittest.Git(t, root, "init", "--quiet", "--bare", "--initial-branch=main", repository)
		gittest.Git(t, repository, "config", "uploadpack.allowFilter", fmt.Sprint(n%2 == 0))
		gittest.Git(t, repository, "config", "uploadpack.allowReachableSHA1InWant", fmt.Sprint(n%2 == 0))
		config := config
		config.URL += "/" + filepath.Base(repository)
		return fixture(t, repository, config)
	})
	t.Run("probe", func(t *testing.T) {
		repository := filepath.Join(root, "probed.git")
		gittest.Git(t, root, "init", "--quiet", "--bare", "--initial-branch=main", repository)
		config := config
		config.URL += "/probed.git"
		checkProbe(t, repository, config)
	})
	t.Run("a wrong password", func(t *testing.T) {
		config := config
		config.URL += "/store1.git"
		config.Auth.Password = "wrong-s3cret"
		for _, err := range both(t, config) {
			wantError(t, err, statestore.ErrDenied)
		}
	})
	t.Run("a hook's words", func(t *testing.T) {
		config := config
		config.URL += "/store1.git"
		gittest.Hook(t, filepath.Join(root, "store1.git"), "pre-receive", "echo 'not today' >&2; exit 1\n")
		_, err := open(t, config).Apply(t.Context(), statestore.ChangeSet{Write: testkit.Files(map[string]string{"a": "1"})})
		if told := wantError(t, err, statestore.ErrDenied); !strings.Contains(told.Error(), "not today") {
			t.Error(err)
		}
	})
}

func TestE2EOpenPGPSignatureIsVerifiedByGnuPG(t *testing.T) {
	home := t.TempDir()
	t.Setenv("GNUPGHOME", home)
	gpg := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("gpg", append([]string{"--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "s3cret"}, args...)...).Output()
		if err != nil {
			t.Fatalf("gpg %v: %v", args, err)
		}
		return string(out)
	}
	t.Cleanup(func() { exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() }) //nolint:errcheck // only tidies up
	gpg("--quick-generate-key", "kratix <kratix@example.com>", "ed25519", "sign", "1d")
	repository := gittest.Bare(t)
	config := git.Config{
		Name: "GitStateStore default", URL: repository, Now: time.Now, Author: git.Author{Name: "kratix", Email: "kratix@example.com"},
		SigningKey: git.SigningKey{PrivateKey: gpg("--armor", "--export-secret-keys"), Passphrase: "s3cret"},
	}
	store, err := git.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Write(t, store, map[string]string{"a": "1"})
	if said := gittest.Git(t, repository, "verify-commit", "main"); !strings.Contains(said, "Good signature from \"kratix <kratix@example.com>\"") {
		t.Error(said)
	}
}
