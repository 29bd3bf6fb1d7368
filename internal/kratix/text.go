package kratix

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

func checkText(document []byte, first int) error {
	if bytes.HasPrefix(document, []byte{0x1f, 0x8b}) {
		return &LineError{Line: first, Reason: "it is compressed with gzip; put the unpacked file there"}
	}
	if bytes.HasPrefix(document, []byte{0xff, 0xfe}) || bytes.HasPrefix(document, []byte{0xfe, 0xff}) {
		return &LineError{Line: first, Reason: "it is UTF-16; save the file as UTF-8"}
	}
	if utf8.Valid(document) {
		return nil
	}
	for i := 0; i < len(document); {
		r, size := utf8.DecodeRune(document[i:])
		if r == utf8.RuneError && size == 1 {
			return &LineError{
				Line:   first + bytes.Count(document[:i], []byte("\n")),
				Reason: fmt.Sprintf("the byte 0x%02X is not UTF-8; save the file as UTF-8", document[i]),
			}
		}
		i += size
	}
	return nil
}

func checkControls(document []byte, first int) error {
	i := bytes.IndexFunc(document, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f
	})
	if i < 0 {
		return nil
	}
	return &LineError{
		Line:   first + bytes.Count(document[:i], []byte("\n")),
		Reason: fmt.Sprintf("malformed YAML: the control character 0x%02X is not allowed", document[i]),
	}
}
