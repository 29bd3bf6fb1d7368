package git

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAppSignsTheExpectedJWT(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, id := range []string{"123", "Iv23liABCDEFghijklmn", `"<&>`} {
		login := &appLogin{app: GitHubApp{ID: id}, key: key, now: func() time.Time { return now }}
		got, err := login.sign()
		if err != nil {
			t.Fatal(err)
		}
		encode := base64.RawURLEncoding.EncodeToString
		issuer := strings.NewReplacer(`"`, `\"`, "<", `\u003c`, "&", `\u0026`, ">", `\u003e`).Replace(id)
		claims := fmt.Sprintf(`{"exp":%d,"iat":%d,"iss":"%s"}`, now.Unix()+9*60, now.Unix()-60, issuer)
		text := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		if want := text + "." + encode(signature); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func TestAppKeyIsParsedInBothFormats(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, bytes []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return "\n " + string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})) + " \n"
	}
	wrapped, err := x509.MarshalPKCS8PrivateKey(key)
	pkcs8 := text("PRIVATE KEY", wrapped, err)
	wrapped, err = x509.MarshalPKCS8PrivateKey(curve)
	for name, c := range map[string]struct{ text, why string }{
		"PKCS 1":         {text("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), nil), ""},
		"PKCS 8":         {pkcs8, ""},
		"of a curve":     {text("PRIVATE KEY", wrapped, err), "is not an RSA private key"},
		"a public key":   {text("PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey), nil), "is not an RSA private key"},
		"cut off":        {pkcs8[:len(pkcs8)/2], "is not PEM encoded"},
		"nothing at all": {"", "is not PEM encoded"},
	} {
		got, err := parseRSA(c.text)
		if c.why == "" && (err != nil || !got.Equal(key)) || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %v, want %q", name, err, c.why)
		}
	}
}
