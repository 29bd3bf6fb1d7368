package oci

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/crypto/nacl/secretbox"
	"golang.org/x/crypto/scrypt"
)

// SigningKey is the key that signs artifacts in the format of cosign. It is not set if PrivateKey
// is empty.
type SigningKey struct {
	// PrivateKey is an ECDSA key in PEM: an encrypted key of cosign with its Password, or an
	// unencrypted key.
	PrivateKey, Password string
}

type signer struct{ key *ecdsa.PrivateKey }

// signer returns the signer with the key, or nil without a key.
func (k SigningKey) signer() (*signer, error) {
	if k.PrivateKey == "" {
		return nil, nil //nolint:nilnil // artifacts are then not signed
	}
	block, _ := pem.Decode([]byte(k.PrivateKey))
	if block == nil {
		return nil, errors.New("cosign.key is not PEM")
	}
	var parsed any
	var err error
	switch block.Type {
	case "ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY":
		var der []byte
		if der, err = decrypt(block.Bytes, k.Password); err != nil {
			return nil, err
		}
		parsed, err = x509.ParsePKCS8PrivateKey(der)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, errors.New("cosign.key is not a private key")
	}
	key, isECDSA := parsed.(*ecdsa.PrivateKey)
	if !isECDSA {
		return nil, errors.New("cosign.key is not an ECDSA key, as `cosign generate-key-pair` makes it")
	}
	return &signer{key}, nil
}

// encrypted is the form in which cosign encrypts a private key.
type encrypted struct {
	KDF struct {
		Name   string `json:"name"`
		Params struct {
			N int `json:"N"`
			R int `json:"r"`
			P int `json:"p"`
		} `json:"params"`
		Salt []byte `json:"salt"`
	} `json:"kdf"`
	Cipher struct {
		Name  string `json:"name"`
		Nonce []byte `json:"nonce"`
	} `json:"cipher"`
	Ciphertext []byte `json:"ciphertext"`
}

// maxScryptN and maxScryptRP limit the memory and the time to decrypt a key.
const (
	maxScryptN, maxScryptRP = 1 << 20, 64
	keySize, nonceSize      = 32, 24
)

func decrypt(content []byte, password string) ([]byte, error) {
	var e encrypted
	if err := json.Unmarshal(content, &e); err != nil {
		return nil, errors.New("cosign.key is not a key of cosign")
	}
	params := e.KDF.Params
	if e.KDF.Name != "scrypt" || e.Cipher.Name != "nacl/secretbox" || len(e.Cipher.Nonce) != nonceSize ||
		params.N > maxScryptN || params.R <= 0 || params.P <= 0 || params.R > maxScryptRP || params.P > maxScryptRP {
		return nil, errors.New("cosign.key is encrypted in a way that is not known")
	}
	derived, err := scrypt.Key([]byte(password), e.KDF.Salt, params.N, params.R, params.P, keySize)
	if err != nil {
		return nil, errors.New("cosign.key is encrypted in a way that is not known")
	}
	plain, ok := secretbox.Open(nil, e.Ciphertext, (*[nonceSize]byte)(e.Cipher.Nonce), (*[keySize]byte)(derived))
	if !ok {
		return nil, errors.New("cosign.password does not decrypt cosign.key")
	}
	return plain, nil
}

// These are the media type and the annotation of signatures of cosign.
const (
	simpleSigning       = "application/vnd.dev.cosign.simplesigning.v1+json"
	signatureAnnotation = "dev.cosignproject.cosign/signature"
)

// payload is the signed content of a signature.
type payload struct {
	Critical struct {
		Identity struct {
			Reference string `json:"docker-reference"`
		} `json:"identity"`
		Image struct {
			Digest digest.Digest `json:"docker-manifest-digest"`
		} `json:"image"`
		Type string `json:"type"`
	} `json:"critical"`
	Optional map[string]string `json:"optional"`
}

// signatureTag returns the tag of the signature of an artifact.
func signatureTag(of digest.Digest) string {
	return of.Algorithm().String() + "-" + of.Encoded() + ".sig"
}

// sign pushes the signature of an artifact, if there is a key. It must be called before a tag
// refers to the artifact.
func (s *Store) sign(ctx context.Context, of digest.Digest) error {
	if s.signer == nil {
		return nil
	}
	var claim payload
	claim.Critical.Identity.Reference = s.host + "/" + s.name
	claim.Critical.Image.Digest = of
	claim.Critical.Type = "cosign container image signature"
	signed, err := json.Marshal(claim)
	if err != nil {
		return err
	}
	hash := sum(signed)
	signature, err := s.signer.key.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		return err
	}
	layer := descriptor(simpleSigning, signed)
	layer.Annotations = map[string]string{signatureAnnotation: base64.StdEncoding.EncodeToString(signature)}
	config, err := json.Marshal(ocispec.Image{RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer.Digest}}})
	if err != nil {
		return err
	}
	described := descriptor(ocispec.MediaTypeImageConfig, config)
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: described, Layers: []ocispec.Descriptor{layer},
	})
	if err != nil {
		return err
	}
	if err := s.pushBlob(ctx, layer, signed); err != nil {
		return err
	}
	if err := s.pushBlob(ctx, described, config); err != nil {
		return err
	}
	return s.pushManifest(ctx, manifest, signatureTag(of))
}
