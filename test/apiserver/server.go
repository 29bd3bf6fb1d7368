// Package apiserver starts a kube-apiserver with its etcd for tests. hack/kube-servers.sh builds
// both programs.
package apiserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// AdminToken is the bearer token of the administrator.
const AdminToken = "admin-of-a-test"

// Server is an API server and its etcd.
type Server struct {
	// Dir is a temporary directory with the files of both servers.
	Dir string
	// URL and Etcd are the addresses of the API server and of etcd.
	URL, Etcd string
	// Admin is the path of a kubeconfig for the administrator.
	Admin string
	// API and Database are the processes of kube-apiserver and etcd.
	API, Database *Process

	bin   string
	flags []string
}

// Start starts etcd and an API server, and waits until the API server is ready. Both end with the
// test. bin is the directory of both programs. flags are additional flags of the API server.
func Start(t testing.TB, bin string, flags ...string) *Server {
	t.Helper()
	s := &Server{Dir: t.TempDir(), bin: bin, flags: flags}
	peer := "http://" + Address(t)
	s.Etcd, s.URL = "http://"+Address(t), "https://"+Address(t)
	s.Database = Run(t, filepath.Join(bin, "etcd"), "--data-dir", filepath.Join(s.Dir, "etcd"), "--unsafe-no-fsync", "--log-level", "error",
		"--listen-client-urls", s.Etcd, "--advertise-client-urls", s.Etcd, "--listen-peer-urls", peer,
		"--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer)
	if err := s.credentials(); err != nil {
		t.Fatal(err)
	}
	s.StartAPI(t)
	return s
}

// StartAPI starts or restarts the API server, and waits until it is ready.
func (s *Server) StartAPI(t testing.TB) {
	t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	crt, key := s.File("tls.crt"), s.File("tls.key")
	s.API = Run(t, filepath.Join(s.bin, "kube-apiserver"), append([]string{
		"--etcd-servers=" + s.Etcd, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + port,
		"--tls-cert-file=" + crt, "--tls-private-key-file=" + key, "--client-ca-file=" + crt, "--token-auth-file=" + s.File("tokens.csv"),
		"--anonymous-auth=false", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24", "--service-account-issuer=https://test",
		"--service-account-signing-key-file=" + key, "--service-account-key-file=" + key, "--disable-admission-plugins=ServiceAccount",
		"--endpoint-reconciler-type=none",
	}, s.flags...)...)
	for _, path := range []string{"/readyz", "/api/v1/namespaces/default"} {
		if err := s.await(t, path); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *Server) await(t testing.TB, path string) error {
	client := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, //nolint:gosec // the test's own server
	}
	defer client.CloseIdleConnections()
	late := time.After(Patience * 2)
	for {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, http.NoBody)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+AdminToken)
		answer, err := client.Do(request)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(answer.Status)
		}
		select {
		case <-late:
			return fmt.Errorf("the API server's %s: %w", path, err)
		case <-s.API.Done():
			return fmt.Errorf("the API server has ended: %s", s.API)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *Server) credentials() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(24 * time.Hour), //nolint:forbidigo // the test's own certificate
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	for name, content := range map[string]string{
		"tls.crt":    string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		"tls.key":    string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})),
		"tokens.csv": AdminToken + `,admin,1,"system:masters"` + "\n",
	} {
		if err := os.WriteFile(s.File(name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	s.Admin, err = s.Kubeconfig("admin", AdminToken, s.URL)
	return err
}

// File returns the path of a file in Dir.
func (s *Server) File(name string) string { return filepath.Join(s.Dir, name) }

// Kubeconfig writes a kubeconfig for a user of the API server at url, and returns its path.
func (s *Server) Kubeconfig(user, token, url string) (path string, err error) {
	path = s.File(user + ".kubeconfig")
	return path, os.WriteFile(path, fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: %[3]s, user: {token: %[4]q}}]
contexts: [{name: test, context: {cluster: test, user: %[3]s}}]
current-context: test
`, url, s.File("tls.crt"), user, token), 0o600)
}
