// Package printable escapes text from untrusted sources so that it is safe to print on a
// terminal, in a log and in the output of a CI system. It does no I/O.
//
// Invisible characters are escaped as in a Go string: control characters, terminal escapes,
// bidirectional controls, zero-width characters and spaces other than U+0020. The beginnings of
// CI commands are escaped too: "::" at the start of a line (GitHub), and "##[", "##vso[" and
// "##teamcity[" anywhere (GitHub, Azure DevOps, TeamCity).
package printable

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Line returns text as one line, in which line breaks and tabs are escaped too.
func Line(text string) string {
	if isPlain(text, "") {
		return text
	}
	return escapeColons(escape(text, "", visible))
}

// Lines returns text escaped except for line breaks and tabs.
func Lines(text string) string {
	if isPlain(text, "\n\t") {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = escapeColons(escape(line, "\t", visible))
	}
	return strings.Join(lines, "\n")
}

// JSON returns equivalent JSON in which invisible characters are written as \u escapes.
func JSON(encoded []byte) []byte {
	text := string(encoded)
	if isPlain(text, "\n\t") {
		return encoded
	}
	return []byte(escape(text, "\n\t", inJSON))
}

// IsPlain reports whether Line returns text unchanged.
func IsPlain(text string) bool { return isPlain(text, "") }

func isPlain(text, keep string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= utf8.RuneSelf, (c == ':' || c == '#') && i > 0 && text[i-1] == c:
			return isPlainSlowly(text, keep)
		case (c < ' ' || c == 0x7f) && strings.IndexByte(keep, c) < 0:
			return false
		}
	}
	return true
}

func isPlainSlowly(text, keep string) bool {
	for i, r := range text {
		if isHidden(r, text[i:]) && !strings.ContainsRune(keep, r) {
			return false
		}
	}
	if commandAt(text) >= 0 {
		return false
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "::") {
			return false
		}
	}
	return true
}

func isHidden(r rune, rest string) bool {
	if r == utf8.RuneError {
		_, size := utf8.DecodeRuneInString(rest)
		return size <= 1
	}
	return !strconv.IsPrint(r)
}

// commands are the beginnings of commands for Azure DevOps, TeamCity and older GitHub runners.
var commands = [...]string{"##[", "##vso[", "##teamcity["}

// commandAt returns the index of the first CI command in a text, or -1.
func commandAt(text string) int {
	first := -1
	for _, command := range commands {
		if i := strings.Index(text, command); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	return first
}

// escape replaces invisible characters and the first character of each command by the result of
// spell. It does not change the characters in keep.
func escape(text, keep string, spell func(r rune, raw string) string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		raw := text[i : i+size]
		switch {
		case strings.Contains(keep, raw), !isHidden(r, raw) && !startsCommand(text[i:], r):
			out.WriteString(raw)
		default:
			out.WriteString(spell(r, raw))
		}
		i += size
	}
	return out.String()
}

func startsCommand(rest string, r rune) bool { return r == '#' && commandAt(rest) == 0 }

func visible(r rune, raw string) string {
	if r == '#' {
		return `\x23`
	}
	quoted := strconv.Quote(raw)
	return quoted[1 : len(quoted)-1]
}

func inJSON(r rune, _ string) string {
	const hex = 16
	spell := func(unit rune) string {
		digits := strconv.FormatInt(int64(unit), hex)
		return `\u` + strings.Repeat("0", 4-len(digits)) + digits
	}
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return spell(high) + spell(low)
	}
	return spell(r)
}

// escapeColons escapes the first colon of a line that GitHub would execute as a command.
func escapeColons(line string) string {
	rest := strings.TrimLeft(line, " \t")
	if !strings.HasPrefix(rest, "::") {
		return line
	}
	return line[:len(line)-len(rest)] + `\x3a` + rest[1:]
}
