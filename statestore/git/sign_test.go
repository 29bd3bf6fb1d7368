package git_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"golang.org/x/crypto/ssh"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestCommitSignedBySSHIsVerifiedByGit(t *testing.T) {
	ed, edPEM := gittest.NewKey(t, "s3cret")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(rsaKey, "")
	if err != nil {
		t.Fatal(err)
	}
	rsaSigner, err := ssh.NewSignerFromKey(rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key    git.SigningKey
		public ssh.PublicKey
	}{
		"ed25519": {git.SigningKey{PrivateKey: edPEM, Passphrase: "s3cret"}, ed.PublicKey()},
		"rsa":     {git.SigningKey{PrivateKey: string(pem.EncodeToMemory(block))}, rsaSigner.PublicKey()},
	} {
		t.Run(name, func(t *testing.T) {
			repository := gittest.Bare(t)
			store := open(t, git.Config{URL: repository, SigningKey: c.key, Author: git.Author{Name: "kratix", Email: "kratix@example.com"}})
			storetest.Write(t, store, map[string]string{"a": "1"})
			storetest.Write(t, store, map[string]string{"a": "2"})
			allowed := filepath.Join(t.TempDir(), "allowed")
			line := append([]byte("kratix@example.com "), ssh.MarshalAuthorizedKey(c.public)...)
			if err := os.WriteFile(allowed, line, 0o600); err != nil {
				t.Fatal(err)
			}
			said := gittest.Git(t, repository, "-c", "gpg.ssh.allowedSignersFile="+allowed, "verify-commit", "main", "main~")
			if strings.Count(said, `Good "git" signature for kratix@example.com`) != 2 {
				t.Error(said)
			}
			gittest.Fsck(t, repository)
		})
	}
}

func TestCommitSignedByOpenPGPIsVerified(t *testing.T) {
	entity, err := openpgp.NewEntity("kratix", "", "kratix@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, passphrase := range map[string]string{"open": "", "locked": "s3cret"} {
		t.Run(name, func(t *testing.T) {
			key := armoredKey(t, entity, passphrase)
			repository := gittest.Bare(t)
			config := git.Config{
				Name: "GitStateStore default", URL: repository, SigningKey: git.SigningKey{PrivateKey: key, Passphrase: passphrase}, Now: time.Now,
			}
			store, err := git.Open(config)
			if err != nil {
				t.Fatal(err)
			}
			storetest.Write(t, store, map[string]string{"a": "1"})
			raw := gittest.Git(t, repository, "cat-file", "commit", "main") + "\n"
			before, rest, _ := strings.Cut(raw, "gpgsig ")
			end := "-----END PGP SIGNATURE-----\n"
			signature, after, found := strings.Cut(rest, end)
			if !found {
				t.Fatal(raw)
			}
			if i := strings.Index(after, "\n\n"); i >= 0 && strings.HasPrefix(after, " ") {
				after = after[i+1:]
			}
			signature = strings.ReplaceAll(signature+end, "\n ", "\n")
			if _, err := openpgp.CheckArmoredDetachedSignature(openpgp.EntityList{entity}, strings.NewReader(before+after), strings.NewReader(signature), nil); err != nil {
				t.Errorf("%v\n%s", err, raw)
			}
			gittest.Fsck(t, repository)
		})
	}
}

func armoredKey(t *testing.T, entity *openpgp.Entity, passphrase string) string {
	t.Helper()
	var text bytes.Buffer
	writer, err := armor.Encode(&text, openpgp.PrivateKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := entity.SerializePrivate(writer, nil); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil || passphrase == "" {
		return text.String()
	}
	keys, err := openpgp.ReadArmoredKeyRing(&text)
	if err != nil {
		t.Fatal(err)
	}
	if err := keys[0].EncryptPrivateKeys([]byte(passphrase), nil); err != nil {
		t.Fatal(err)
	}
	text.Reset()
	if writer, err = armor.Encode(&text, openpgp.PrivateKeyType, nil); err != nil {
		t.Fatal(err)
	}
	if err := keys[0].SerializePrivateWithoutSigning(writer, nil); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestUnusableSigningKeyIsRejected(t *testing.T) {
	entity, err := openpgp.NewEntity("kratix", "", "kratix@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, locked := gittest.NewKey(t, "s3cret")
	lockedPGP := armoredKey(t, entity, "s3cret")
	for why, key := range map[string]git.SigningKey{
		"key signingKey of the Secret cannot be read as a private key":     {PrivateKey: "s3cret"},
		"and there is no key signingPassphrase":                            {PrivateKey: locked},
		"and there is no key signingPassphrase ":                           {PrivateKey: lockedPGP},
		"key signingPassphrase of the Secret does not open key signingKey": {PrivateKey: lockedPGP, Passphrase: "wrong s3cret"},
		"key signingKey of the Secret cannot be read as an OpenPGP key":    {PrivateKey: "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\ns3cret"},
	} {
		_, err := git.Open(git.Config{Name: "GitStateStore default", URL: "/x", Now: time.Now, SigningKey: key})
		if told := wantError(t, err, statestore.ErrMisconfigured); !strings.Contains(told.Error(), strings.TrimSpace(why)) {
			t.Errorf("%v, want %q", err, why)
		}
	}
}
