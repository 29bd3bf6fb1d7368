//go:build e2e

package gittest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// Daemon starts a server, and waits until it listens on address: host:port or the path of a socket.
func Daemon(t testing.TB, address string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(Env(), env...)
	// The log is a file, because child processes of the server would keep a pipe open.
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that child processes are killed too
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // it may have ended
		cmd.Wait()                                      //nolint:errcheck // it was killed
	})
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	for range 200 {
		conn, err := net.Dial(network, address)
		if err == nil {
			conn.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	said, _ := os.ReadFile(log.Name())
	t.Fatalf("%s does not listen on %s: %s", name, address, said)
}

// FreeAddress returns a host:port on which nothing listens.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// Write writes a file and returns its path.
func Write(t testing.TB, path, content string, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// OpenSSH starts sshd for the current user. The private key is Locked, and Key is empty.
func OpenSSH(t testing.TB) *Shell {
	t.Helper()
	dir := t.TempDir()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Uid == "0" {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const passphrase = "s3cret phrase"
	host, hostKey := NewKey(t, "")
	client, clientKey := NewKey(t, passphrase)
	address := FreeAddress(t)
	conf := fmt.Sprintf(`
ListenAddress %s
HostKey %s
PidFile none
AuthorizedKeysFile %s
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
ForceCommand git shell -c "$SSH_ORIGINAL_COMMAND"
`, address, Write(t, filepath.Join(dir, "host"), hostKey, 0o600),
		Write(t, filepath.Join(dir, "keys"), string(ssh.MarshalAuthorizedKey(client.PublicKey())), 0o600))
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		sshd = "/usr/sbin/sshd"
	}
	Daemon(t, address, nil, sshd, "-D", "-e", "-f", Write(t, filepath.Join(dir, "sshd_config"), conf, 0o600))
	_, port, _ := net.SplitHostPort(address)
	return &Shell{
		URL: "ssh://" + me.Username + "@" + address, Address: address, Locked: clientKey, Passphrase: passphrase,
		KnownHosts: fmt.Sprintf("[127.0.0.1]:%s %s", port, ssh.MarshalAuthorizedKey(host.PublicKey())),
	}
}
