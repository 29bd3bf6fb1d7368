package kube

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"k8s.io/apimachinery/pkg/runtime"
)

// framer divides a stream of JSON objects.
type framer struct{ runtime.Framer }

func (framer) NewFrameReader(stream io.ReadCloser) io.ReadCloser {
	return &frameReader{Closer: stream, in: bufio.NewReaderSize(stream, 1<<16)}
}

// frameReader returns one JSON object per call of Read, or io.ErrShortBuffer if the object continues
// in the next call.
type frameReader struct {
	io.Closer
	in      *bufio.Reader
	scanned objectScanner
}

var errNoObject = errors.New("the stream has something that is not a JSON object")

func (r *frameReader) Read(into []byte) (n int, err error) {
	for {
		if _, err := r.in.Peek(1); err != nil {
			if errors.Is(err, io.EOF) && r.scanned.depth > 0 {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		buffered, _ := r.in.Peek(r.in.Buffered())
		if r.scanned.depth == 0 {
			start := len(buffered) - len(bytes.TrimLeft(buffered, " \t\r\n"))
			if start > 0 {
				_, _ = r.in.Discard(start)
				continue
			}
			if buffered[0] != '{' {
				return 0, errNoObject
			}
		}
		if n == len(into) {
			return n, io.ErrShortBuffer
		}
		part := buffered[:min(len(buffered), len(into)-n)]
		end := r.scanned.scan(part)
		if end >= 0 {
			part = part[:end]
		}
		n += copy(into[n:], part)
		_, _ = r.in.Discard(len(part))
		if end >= 0 {
			return n, nil
		}
	}
}

// objectScanner finds the end of a JSON object without checking the object.
type objectScanner struct {
	depth            int
	inString, escape bool
}

// scan continues with the next part of an object. It returns the index after the end of the object,
// or -1 if the object continues.
func (s *objectScanner) scan(part []byte) int {
	for i := 0; i < len(part); i++ {
		if s.inString {
			i = s.skipString(part, i)
			continue
		}
		switch part[i] {
		case '"':
			s.inString = true
		case '{', '[':
			s.depth++
		case '}', ']':
			if s.depth--; s.depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// skipString returns the index of the end of the string that contains part[i], or of the last byte
// of part.
func (s *objectScanner) skipString(part []byte, i int) int {
	for ; i < len(part); i++ {
		switch {
		case s.escape:
			s.escape = false
		case part[i] == '\\':
			s.escape = true
		case part[i] == '"':
			s.inString = false
			return i
		}
	}
	return i - 1
}
