package kratix

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// bucketName matches names that some S3 servers accept for a bucket. Amazon accepts only lower-case
// letters, digits, dots and hyphens; other servers accept more.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{1,61}[A-Za-z0-9]$`)

// CheckBucketName returns an error if a name breaks the rules for names of buckets that S3 servers
// have in common.
func CheckBucketName(name string) error {
	_, notAddress := netip.ParseAddr(name)
	switch {
	case notAddress == nil, !bucketName.MatchString(name), strings.Contains(name, ".."), strings.Contains(name, ".-"), strings.Contains(name, "-."):
		return fmt.Errorf("spec.bucketName %q is not a bucket name; use 3 to 63 lower-case letters, digits and hyphens", name)
	}
	return nil
}
