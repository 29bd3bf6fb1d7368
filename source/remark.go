package source

import (
	"crypto/sha256"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Remark returns a ParsedFile with findings and no objects. Sources add their own findings with it.
func Remark(rank int, findings ...finding.Finding) *ParsedFile {
	hash := sha256.New()
	for _, f := range findings {
		_, _ = fmt.Fprintf(hash, "%s %q %q\n", f.Rule.ID, f.Place.String(), f.Message) // a hash returns no error
	}
	return &ParsedFile{fileKey: fileKey{rank: rank}, digest: digest{hash: [sha256.Size]byte(hash.Sum(nil))}, findings: findings}
}
