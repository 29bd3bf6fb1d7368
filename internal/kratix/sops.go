package kratix

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// ErrEncrypted means that an object is encrypted with SOPS and cannot be used.
var ErrEncrypted = errors.New("it is encrypted with SOPS; decrypt it first")

// isEncrypted reports whether a JSON object has the metadata that SOPS adds.
func isEncrypted(plain []byte) bool {
	if !bytes.Contains(plain, []byte(`"sops":`)) {
		return false
	}
	var object struct {
		SOPS struct {
			MAC          string `json:"mac"`
			LastModified string `json:"lastmodified"`
		} `json:"sops"`
	}
	return json.Unmarshal(plain, &object) == nil && object.SOPS.MAC+object.SOPS.LastModified != ""
}

// hidesKind reports whether an encrypted object cannot be identified, because it is a list, or its
// kind or apiVersion is encrypted too.
func (h Header) hidesKind() bool {
	return strings.HasPrefix(h.Kind, "ENC[") || strings.HasPrefix(h.APIVersion, "ENC[") || strings.HasSuffix(h.Kind, "List")
}
