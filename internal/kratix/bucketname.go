package kratix

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// bucketName matches the names that at least one S3 server accepts for a bucket. Amazon accepts
// only lower-case letters, digits, dots and hyphens; other servers accept more.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{1,61}[A-Za-z0-9]$`)

// CheckBucketName returns an error if no S3 server accepts a bucket with this name.
func CheckBucketName(name string) error {
	_, notAddress := netip.ParseAddr(name)
	switch {
	case notAddress == nil, !bucketName.MatchString(name), strings.Contains(name, ".."), strings.Contains(name, ".-"), strings.Contains(name, "-."):
		return fmt.Errorf("spec.bucketName %q is not a bucket name; use 3 to 63 lower-case letters, digits and hyphens", name)
	}
	return nil
}
