package kratix_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

const sopsMetadata = `
sops:
  lastmodified: "2026-01-01T00:00:00Z"
  mac: ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]
  version: 3.9.0
`

func TestSopsEncryptedObjectIsDetected(t *testing.T) {
	const encrypted = "ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]"
	for name, c := range map[string]struct {
		document string
		named    bool
	}{
		"data":             {"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  k: " + encrypted + sopsMetadata, true},
		"stringData":       {"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  k: " + encrypted + sopsMetadata, true},
		"a state store":    {"apiVersion: " + kratix.APIVersion + "\nkind: GitStateStore\nmetadata: {name: s}\nspec:\n  url: " + encrypted + sopsMetadata, true},
		"everything":       {"apiVersion: " + encrypted + "\nkind: " + encrypted + sopsMetadata, false},
		"a list":           {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n  data: {k: '" + encrypted + "'}" + sopsMetadata, false},
		"an item of lists": {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n  data: {k: '" + encrypted + "'}\n  sops: {mac: x}\n", true},
	} {
		parsed, err := kratix.Parse([]byte(c.document), 1)
		switch {
		case !c.named && !errors.Is(err, kratix.ErrEncrypted):
			t.Errorf("%s: %v", name, err)
		case c.named && (err != nil || len(parsed) != 1 || !errors.Is(parsed[0].Err, kratix.ErrEncrypted) || parsed[0].Header.Metadata.Name != "s" || parsed[0].Object != nil):
			t.Errorf("%s: %v, %+v", name, err, parsed)
		}
		if err == nil {
			err = parsed[0].Err
		}
		if strings.Contains(err.Error(), "base64") || !strings.Contains(err.Error(), "decrypt it first") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyNamedSopsIsNotEncryption(t *testing.T) {
	for _, document := range []string{
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {sops: 'mac'}\n",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nsops: {version: '1'}\n",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {sops: mac}}\nstringData: {'\"sops\":': x}\n",
	} {
		parsed, err := kratix.Parse([]byte(document), 1)
		if err != nil || len(parsed) != 1 || parsed[0].Err != nil {
			t.Errorf("%s: %v, %+v", document, err, parsed)
		}
	}
}
