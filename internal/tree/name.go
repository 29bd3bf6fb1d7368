package tree

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// PlainName returns the name that the most lenient file systems read in an
// element of a path: in lower case and Unicode's form NFC, without the characters
// that HFS+ ignores, and without what NTFS ignores, which is everything from the
// first colon on and then the dots and spaces at the end. Two elements with one
// plain name may be one file on some machine; git compares its own names so.
func PlainName(element string) string {
	element = strings.Map(withoutIgnored, element)
	element, _, _ = strings.Cut(element, ":")
	return fold(strings.TrimRight(element, " ."))
}

// withoutIgnored drops the characters that HFS+ ignores in names: git's own list.
func withoutIgnored(r rune) rune {
	const drop = -1
	switch {
	case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
		return drop
	}
	return r
}

// isGitDir reports whether a file system may read an element as git's own
// directory; git itself refuses to check out a tree that holds one.
func isGitDir(element string) bool {
	name := PlainName(element)
	return name == ".git" || name == "git~1"
}

// Fold returns the path in lower case and Unicode's form NFC. Two paths that
// fold to one are one on a file system that ignores case or normalisation.
func (p Path) Fold() string { return fold(p.slashed) }

// IsFolded reports whether Fold changes nothing.
func (p Path) IsFolded() bool { return isFolded(p.slashed) || fold(p.slashed) == p.slashed }

func fold(s string) string {
	if isFolded(s) {
		return s
	}
	return norm.NFC.String(strings.ToLower(strings.ToUpper(norm.NFD.String(s))))
}

// isFolded reports whether s is ASCII without capitals: nearly every path is.
func isFolded(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || ('A' <= s[i] && s[i] <= 'Z') {
			return false
		}
	}
	return true
}
