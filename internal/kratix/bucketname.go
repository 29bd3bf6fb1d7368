package kratix

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// bucketName matches bucket names that some S3 servers accept; Amazon accepts fewer.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{1,61}[A-Za-z0-9]$`)

// CheckBucketName returns an error if name cannot be the name of a bucket. It accepts names that
// some S3 servers reject.
func CheckBucketName(name string) error {
	_, notAddress := netip.ParseAddr(name)
	switch {
	case notAddress == nil, !bucketName.MatchString(name), strings.Contains(name, ".."), strings.Contains(name, ".-"), strings.Contains(name, "-."):
		return fmt.Errorf("spec.bucketName %q is not a bucket name; use 3 to 63 lower-case letters, digits and hyphens", name)
	}
	return nil
}
