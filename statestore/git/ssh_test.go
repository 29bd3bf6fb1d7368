package git_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestSSHStoreConforms(t *testing.T) {
	testkit.Slow(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		repository := gittest.Bare(t)
		config, _ := servedBySSH(t, repository)
		return fixture(t, repository, config)
	})
}

func servedBySSH(t testing.TB, repository string) (git.Config, *gittest.Shell) {
	t.Helper()
	shell := gittest.ServeSSH(t, filepath.Dir(repository))
	return git.Config{
		URL:  shell.URL + "/" + filepath.Base(repository),
		Auth: git.Auth{SSH: git.SSH{PrivateKey: shell.Key, KnownHosts: shell.KnownHosts}},
	}, shell
}

func TestOneSSHConnectionServesManyOperations(t *testing.T) {
	repository := gittest.Bare(t)
	config, shell := servedBySSH(t, repository)
	store := open(t, config)
	for _, content := range []string{"1", "2", "3"} {
		storetest.Write(t, store, map[string]string{"a": content})
	}
	gittest.Commit(t, repository, "main", map[string]string{"foreign": "f"})
	storetest.Holds(t, store, map[string]string{"a": "3", "foreign": "f"})
	if n := shell.Connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestBrokenSSHConnectionIsReplaced(t *testing.T) {
	repository := gittest.Bare(t)
	config, shell := servedBySSH(t, repository)
	proxy := gittest.NewProxy(t, shell.Address)
	config.URL = "ssh://git@" + proxy.Address + repository
	config.Auth.SSH.KnownHosts = strings.Replace(config.Auth.SSH.KnownHosts, port(shell.Address), port(proxy.Address), 1)
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"a": "1"})
	proxy.Set(gittest.Fault{})
	storetest.Write(t, store, map[string]string{"a": "2"})
	if n := shell.Connections.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

func TestPassphraseDecryptsAnSSHKey(t *testing.T) {
	config, shell := servedBySSH(t, gittest.Bare(t))
	config.Auth.SSH.PrivateKey = "\n" + shell.Locked + "\n\n"
	config.Auth.SSH.Passphrase = shell.Passphrase
	storetest.Write(t, open(t, config), map[string]string{"a": "1"})

	config.Name, config.Now = "GitStateStore default", time.Now
	for passphrase, why := range map[string]string{"": "encrypted, and there is no key password", "wrong s3cret": "cannot be read as a private key"} {
		config.Auth.SSH.Passphrase = passphrase
		_, err := git.Open(config)
		if told := wantError(t, err, statestore.ErrMisconfigured); !strings.Contains(told.Error(), why) {
			t.Errorf("%q: %v", passphrase, err)
		}
	}
}

func TestUnknownSSHServerIsRejected(t *testing.T) {
	repository := gittest.Bare(t)
	config, shell := servedBySSH(t, repository)
	other, _ := gittest.NewKey(t, "")
	line := func(host string, key ssh.PublicKey) string { return host + " " + string(ssh.MarshalAuthorizedKey(key)) }
	_, _, hostKey, _, _, err := ssh.ParseKnownHosts([]byte(shell.KnownHosts))
	if err != nil {
		t.Fatal(err)
	}
	here := "[127.0.0.1]:" + port(shell.Address)
	hashed := knownHostsHash(here)
	for name, c := range map[string]struct{ hosts, why string }{
		"as it is":             {shell.KnownHosts, ""},
		"hashed":               {line(hashed, hostKey), ""},
		"a pattern":            {"# who is who\n\n" + line("[127.0.0.*]:"+port(shell.Address)+",example.com", hostKey), ""},
		"an old key beside":    {line(here, other.PublicKey()) + shell.KnownHosts, ""},
		"another host":         {line("example.com", hostKey), "knownHosts has no key for the server " + here},
		"another port":         {line("127.0.0.1", hostKey), "knownHosts has no key for the server " + here},
		"another key":          {line(here, other.PublicKey()), "which is not the one in knownHosts"},
		"revoked":              {"@revoked " + line("*", hostKey) + shell.KnownHosts, "is revoked"},
		"excluded":             {line("*,!"+here, hostKey), "knownHosts has no key"},
		"another host, hashed": {line(knownHostsHash("example.com"), hostKey), "knownHosts has no key"},
	} {
		t.Run(name, func(t *testing.T) {
			config.Auth.SSH.KnownHosts = c.hosts
			if c.why == "" {
				_, err := open(t, config).Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, err := range both(t, config) {
				var told *statestore.Error
				if !errors.As(err, &told) || !strings.Contains(err.Error(), c.why) {
					t.Fatalf("%v, want %q", err, c.why)
				}
				if !strings.Contains(c.why, "revoked") && (!errors.Is(err, statestore.ErrMisconfigured) || !strings.Contains(told.Fix, "ssh-keyscan")) {
					t.Errorf("%v, fix %q", err, told.Fix)
				}
			}
		})
	}
}

func TestInsecureStoreTrustsEverySSHServerAndWarns(t *testing.T) {
	config, _ := servedBySSH(t, gittest.Bare(t))
	config.Auth.SSH.KnownHosts = ""
	config.Insecure = true
	state, err := open(t, config).Read(t.Context())
	if err != nil || len(state.Warnings) != 1 || !strings.Contains(state.Warnings[0], "the server's key is not verified") {
		t.Errorf("%q, %v", state.Warnings, err)
	}
}

func TestSSHKeyUnknownToTheServerIsDenied(t *testing.T) {
	config, _ := servedBySSH(t, gittest.Bare(t))
	_, config.Auth.SSH.PrivateKey = gittest.NewKey(t, "")
	for _, err := range both(t, config) {
		told := wantError(t, err, statestore.ErrDenied)
		if !strings.Contains(told.Error(), "unable to authenticate") || !strings.Contains(told.Fix, "sshPrivateKey") {
			t.Errorf("%v (fix %q)", err, told.Fix)
		}
	}
}

func TestOutputOfAnSSHServerIsReported(t *testing.T) {
	for words, want := range map[string]struct {
		kind error
		hint string
	}{
		"ERROR: Repository not found.\n":                                     {statestore.ErrMisconfigured, "spec.url"},
		"ERROR: This repository was archived so it is read-only.\n":          {statestore.ErrDenied, "archived"},
		"ERROR: Permission to a/b.git denied to deploy-key.\n":               {statestore.ErrDenied, "sshPrivateKey"},
		"GitLab: You are not allowed to push code to this project.\n":        {statestore.ErrDenied, "sshPrivateKey"},
		"The project you were looking for could not be found, for s3cret.\n": {statestore.ErrMisconfigured, "spec.url"},
		"ssh_exchange: we are busy\n":                                        {statestore.ErrUnavailable, ""},
	} {
		config, shell := servedBySSH(t, gittest.Bare(t))
		config.Auth.SSH.Passphrase = "s3cret"
		shell.Answer = func(_ string, channel ssh.Channel) uint32 {
			io.WriteString(channel.Stderr(), words) //nolint:errcheck // the client is there
			return 1
		}
		for _, err := range both(t, config) {
			told := wantError(t, err, want.kind)
			first, _, _ := strings.Cut(strings.TrimSpace(words), ",")
			if !strings.Contains(told.Remote, first) || !strings.Contains(told.Fix, want.hint) {
				t.Errorf("%v (remote %q, fix %q)", err, told.Remote, told.Fix)
			}
		}
	}
}

func TestWaitForASilentSSHServerEndsWithTheContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and sends nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the test is over, or the peer has closed it
	config, shell := servedBySSH(t, gittest.Bare(t))
	mute := config
	mute.URL = "ssh://git@" + listener.Addr().String() + "/x.git"
	release := make(chan struct{})
	defer close(release)
	shell.Answer = func(string, ssh.Channel) uint32 {
		<-release
		return 1
	}
	unaccepted, server := servedBySSH(t, gittest.Bare(t))
	server.Unaccepted = true
	for _, config := range []git.Config{mute, config, unaccepted} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		begun := time.Now()
		_, err = open(t, config).Read(ctx)
		cancel()
		wantError(t, err, statestore.ErrUnavailable)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > time.Minute {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
	}
}

func TestEveryFormOfAnSSHURLIsAccepted(t *testing.T) {
	repository := gittest.Bare(t)
	config, shell := servedBySSH(t, repository)
	var commands []string
	shell.Answer = func(command string, _ ssh.Channel) uint32 {
		commands = append(commands, command)
		return 1
	}
	for _, spelling := range []string{"ssh://git@HOST/srv/a'b.git", "ssh://HOST/srv/x!.git", "ssh://git@HOST/~/x.git"} {
		config.URL = strings.Replace(spelling, "HOST", shell.Address, 1)
		_, err := open(t, config).Read(t.Context())
		wantError(t, err, statestore.ErrUnavailable)
	}
	want := `git-upload-pack '/srv/a'\''b.git'|git-upload-pack '/srv/x'\!'.git'|git-upload-pack '~/x.git'`
	if got := strings.Join(commands, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
