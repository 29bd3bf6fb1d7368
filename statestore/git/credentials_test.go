package git_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func TestCredentialsAreNeverPrinted(t *testing.T) {
	repository := gittest.Bare(t)
	echo := func(_ http.Handler, w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		http.Error(w, fmt.Sprintf("you said %s, which is %s and %s", r.Header.Get("Authorization"), user, password), http.StatusForbidden)
	}
	g := newGitHub(t)
	_, key := gittest.NewKey(t, "")
	shell, sshServer := servedBySSH(t, repository)
	shell.Auth.SSH.PrivateKey, shell.Auth.SSH.Passphrase = sshServer.Locked, sshServer.Passphrase
	sshServer.Answer = nil
	loud := shell
	loudServer := gittest.ServeSSH(t, filepath.Dir(repository))
	loud.URL, loud.Auth.SSH = loudServer.URL+"/store.git", git.SSH{PrivateKey: loudServer.Locked, Passphrase: loudServer.Passphrase, KnownHosts: loudServer.KnownHosts}
	loudServer.Answer = func(_ string, channel ssh.Channel) uint32 {
		fmt.Fprint(channel.Stderr(), "denied: ", loudServer.Passphrase)
		return 1
	}
	with := func(config git.Config, auth git.Auth) git.Config {
		config.Auth = auth
		config.SigningKey.PrivateKey = key
		return config
	}
	good, loudHTTP := served(t, repository), intercepted(t, repository, echo)
	_, app := appStore(t, g, repository)
	loudApp := app
	var shown string
	loudAPI := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"message": "you said %s"}`, r.Header.Get("Authorization"))
	}))
	defer loudAPI.Close()
	loudApp.Auth.App.APIURL = loudAPI.URL
	inURL := loudHTTP
	inURL.URL, inURL.Auth = strings.Replace(inURL.URL, "http://", "http://u:"+gittest.Password+"@", 1), git.Auth{}
	var out strings.Builder
	for _, config := range []git.Config{
		with(good, good.Auth), with(good, git.Auth{Bearer: gittest.Password}), app, shell,
		with(loudHTTP, good.Auth), with(loudHTTP, git.Auth{Bearer: gittest.Password}), loud, inURL, loudApp,
	} {
		config.Author, config.Owner = git.Author{Name: "kratix"}, "site-a"
		store := open(t, config)
		state, err := store.Read(t.Context())
		fmt.Fprintf(&out, "%v %+v %q\n", err, err, state.Warnings)
		_, err = store.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: testkit.Files(map[string]string{"a": config.URL + strconv.Itoa(out.Len())})})
		fmt.Fprintf(&out, "%v %#v %v\n", err, err, store.Probe(t.Context()))
	}
	err := filepath.WalkDir(repository, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var content []byte
			content, err = os.ReadFile(path)
			out.Write(content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	out.WriteString(gittest.Git(t, repository, "log", "--patch", "--all", "--format=raw"))
	secrets := []string{
		gittest.Password, sshServer.Passphrase, loudServer.Passphrase, "PRIVATE KEY", shown,
		base64.StdEncoding.EncodeToString([]byte(gittest.User + ":" + gittest.Password)),
	}
	for _, pem := range []string{key, sshServer.Locked, loudServer.Locked, g.app.PrivateKey} {
		lines := strings.Split(strings.TrimSpace(pem), "\n")
		secrets = append(secrets, lines[1:len(lines)-1]...)
	}
	for _, secret := range secrets {
		if secret == "" {
			t.Error("a secret that was never used")
		}
		if i := strings.Index(out.String(), secret); i >= 0 {
			t.Errorf("a secret came out: ...%s...", out.String()[max(0, i-200):min(out.Len(), i+100)])
		}
	}
}
