package kratix

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// ErrEncrypted is the error about an object that is encrypted with SOPS.
var ErrEncrypted = errors.New("it is encrypted with SOPS; decrypt it first")

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

// hidesKind reports whether the kind or apiVersion is encrypted, or the kind ends with "List".
func (h Header) hidesKind() bool {
	return strings.HasPrefix(h.Kind, "ENC[") || strings.HasPrefix(h.APIVersion, "ENC[") || strings.HasSuffix(h.Kind, "List")
}
