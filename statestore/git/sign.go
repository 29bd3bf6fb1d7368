package git

import (
	"bytes"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"golang.org/x/crypto/ssh"
)

// SigningKey is a key that signs commits: an SSH private key, or an armored OpenPGP private key.
type SigningKey struct{ PrivateKey, Passphrase string }

type signer func(commit []byte) (string, error)

func newSigner(key SigningKey, now func() time.Time) (signer, error) {
	switch text := strings.TrimSpace(key.PrivateKey); {
	case text == "":
		return nil, nil
	case strings.HasPrefix(text, "-----BEGIN PGP "):
		return newPGPSigner(text, key.Passphrase, now)
	}
	with, err := parseSSHKey("signingKey", "signingPassphrase", key.PrivateKey, key.Passphrase)
	if err != nil {
		return nil, err
	}
	return func(commit []byte) (string, error) { return signSSH(with, commit) }, nil
}

func newPGPSigner(text, passphrase string, now func() time.Time) (signer, error) {
	keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("key signingKey of the Secret cannot be read as an OpenPGP key: %w", err)
	}
	if len(keys) != 1 || keys[0].PrivateKey == nil {
		return nil, errors.New("key signingKey of the Secret must hold one OpenPGP private key")
	}
	if keys[0].PrivateKey.Encrypted {
		if passphrase == "" {
			return nil, errors.New("key signingKey of the Secret is encrypted, and there is no key signingPassphrase with its passphrase")
		}
		if err := keys[0].DecryptPrivateKeys([]byte(passphrase)); err != nil {
			return nil, errors.New("key signingPassphrase of the Secret does not open key signingKey")
		}
	}
	return func(commit []byte) (string, error) {
		var armored bytes.Buffer
		err := openpgp.ArmoredDetachSign(&armored, keys[0], bytes.NewReader(commit), &packet.Config{Time: now})
		return armored.String(), err
	}, nil
}

const (
	sshMagic     = "SSHSIG"
	sshNamespace = "git"
	sshHash      = "sha512"
	armorWidth   = 70
)

// signSSH returns a signature like that of `ssh-keygen -Y sign -n git`.
func signSSH(with ssh.Signer, commit []byte) (string, error) {
	sum := sha512.Sum512(commit)
	payload := append([]byte(sshMagic), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Sum                       []byte
	}{sshNamespace, "", sshHash, sum[:]})...)
	signature, err := signWith(with, payload)
	if err != nil {
		return "", err
	}
	whole := append([]byte(sshMagic), ssh.Marshal(struct {
		Version                   uint32
		Key                       []byte
		Namespace, Reserved, Hash string
		Signature                 []byte
	}{1, with.PublicKey().Marshal(), sshNamespace, "", sshHash, ssh.Marshal(signature)})...)

	var armored strings.Builder
	armored.WriteString("-----BEGIN SSH SIGNATURE-----\n")
	for text := base64.StdEncoding.EncodeToString(whole); text != ""; {
		n := min(armorWidth, len(text))
		armored.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	armored.WriteString("-----END SSH SIGNATURE-----\n")
	return armored.String(), nil
}

// signWith signs payload. For RSA keys it prefers SHA-512 to SHA-1.
func signWith(with ssh.Signer, payload []byte) (*ssh.Signature, error) {
	choosy, ok := with.(ssh.AlgorithmSigner)
	if with.PublicKey().Type() != ssh.KeyAlgoRSA || !ok {
		return with.Sign(rand.Reader, payload)
	}
	return choosy.SignWithAlgorithm(rand.Reader, payload, ssh.KeyAlgoRSASHA512)
}
