package gittest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Shell serves repositories over ssh.
type Shell struct {
	// URL is the URL of the directory with the repositories.
	URL string
	// Address is the host:port of the server.
	Address string
	// Key is the private key that may log in. Locked is the same key, encrypted with Passphrase.
	Key, Locked, Passphrase string
	// KnownHosts is the line of a known_hosts file for the server.
	KnownHosts string
	// Connections is the number of successful logins.
	Connections atomic.Int64
	// Open is the number of open connections.
	Open atomic.Int64
	// Answer runs the commands if it is not nil.
	Answer func(command string, channel ssh.Channel) (status uint32)
	// Unaccepted means that commands get no reply.
	Unaccepted bool
}

// NewKey returns a new private key and its PEM encoding, which is encrypted if passphrase is not
// empty.
func NewKey(t testing.TB, passphrase string) (ssh.Signer, string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer, encodeKey(t, key, passphrase)
}

func encodeKey(t testing.TB, key ed25519.PrivateKey, passphrase string) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "test")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "test", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

// ServeSSH serves repositories until the test ends. The URL of the Shell is the URL of root.
func ServeSSH(t testing.TB, root string) *Shell {
	t.Helper()
	host, _ := NewKey(t, "")
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	client, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() }) //nolint:errcheck // the test is over, or the peer has closed it
	address := listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	shell := &Shell{
		URL: "ssh://git@" + address + filepath.ToSlash(root), Address: address, Passphrase: "s3cret phrase", Key: encodeKey(t, key, ""),
		KnownHosts: fmt.Sprintf("[127.0.0.1]:%s %s", port, ssh.MarshalAuthorizedKey(host.PublicKey())),
	}
	shell.Locked = encodeKey(t, key, shell.Passphrase)
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, shown ssh.PublicKey) (*ssh.Permissions, error) {
		if string(shown.Marshal()) != string(client.PublicKey().Marshal()) {
			return nil, fmt.Errorf("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go shell.serve(conn, config)
		}
	}()
	return shell
}

func (s *Shell) serve(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close() //nolint:errcheck // the test is over, or the peer has closed it
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	s.Connections.Add(1)
	s.Open.Add(1)
	defer s.Open.Add(-1)
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, asked, err := offered.Accept()
		if err != nil {
			return
		}
		go s.session(channel, asked)
	}
}

func (s *Shell) session(channel ssh.Channel, asked <-chan *ssh.Request) {
	defer channel.Close() //nolint:errcheck // the test is over, or the peer has closed it
	for request := range asked {
		if request.Type != "exec" {
			request.Reply(false, nil) //nolint:errcheck // the client will notice
			continue
		}
		if s.Unaccepted {
			continue
		}
		request.Reply(true, nil) //nolint:errcheck // the client will notice
		var command struct{ Text string }
		status := uint32(1)
		if ssh.Unmarshal(request.Payload, &command) == nil {
			status = s.run(command.Text, channel)
		}
		channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status})) //nolint:errcheck // the client may have closed the channel
		return
	}
}

func (s *Shell) run(text string, channel ssh.Channel) uint32 {
	if s.Answer != nil {
		return s.Answer(text, channel)
	}
	name, dir, ok := strings.Cut(text, " ")
	if !ok || (name != "git-upload-pack" && name != "git-receive-pack") {
		return 128
	}
	cmd := exec.Command("git", strings.TrimPrefix(name, "git-"), strings.ReplaceAll(strings.Trim(dir, "'"), `'\''`, "'"))
	cmd.Env = Env()
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	in, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return 1
	}
	go func() {
		io.Copy(in, channel) //nolint:errcheck // the client may have closed the channel
		in.Close()           //nolint:errcheck // the test is over, or the peer has closed it
	}()
	if cmd.Wait() != nil {
		return 128
	}
	return 0
}
