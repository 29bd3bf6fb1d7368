package source

import (
	"crypto/sha256"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Remark returns a file without a name and without objects that a Collection can
// hold for a source which has something to tell about its files.
func Remark(rank int, findings ...finding.Finding) *ParsedFile {
	hash := sha256.New()
	for _, f := range findings {
		_, _ = fmt.Fprintf(hash, "%s %q %q\n", f.Rule.ID, f.Place.String(), f.Message) // a hash takes everything
	}
	return &ParsedFile{fileKey: fileKey{rank: rank}, sum: sum{hash: [sha256.Size]byte(hash.Sum(nil))}, findings: findings}
}
