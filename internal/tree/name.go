package tree

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// PlainName returns an element of a path in a normalized form. Elements with equal plain names may
// be the same file on some file system. The rules are those of git for the names of its own files.
func PlainName(element string) string {
	element = strings.Map(withoutIgnored, element)
	element, _, _ = strings.Cut(element, ":")
	return fold(strings.TrimRight(element, " ."))
}

// withoutIgnored returns r, or -1 if HFS+ ignores r in file names, according to git's list.
func withoutIgnored(r rune) rune {
	const drop = -1
	switch {
	case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
		return drop
	}
	return r
}

// isGitDir reports whether a file system may treat an element as ".git".
func isGitDir(element string) bool {
	name := PlainName(element)
	return name == ".git" || name == "git~1"
}

// Fold returns the path in lower case and Unicode NFC. Paths with equal results are the same file
// on a file system that ignores case and normalization.
func (p Path) Fold() string { return fold(p.slashed) }

// IsFolded reports whether Fold returns the path unchanged.
func (p Path) IsFolded() bool { return isFolded(p.slashed) || fold(p.slashed) == p.slashed }

func fold(s string) string {
	if isFolded(s) {
		return s
	}
	return norm.NFC.String(strings.ToLower(strings.ToUpper(norm.NFD.String(s))))
}

// isFolded reports whether s is ASCII without capital letters.
func isFolded(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || ('A' <= s[i] && s[i] <= 'Z') {
			return false
		}
	}
	return true
}
