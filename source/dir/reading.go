package dir

import (
	"runtime"

	"github.com/kratix-schedule/kratix-schedule/source"
)

// atOnce is how many files are read and parsed at once for each processor: what
// is before one that takes long keeps the others busy meanwhile.
const atOnce = 2

// reading is a file that is being read and parsed beside others.
type reading struct {
	in   *input
	name string
	// seen is how the file looked before it was read.
	seen seen
	file <-chan parsed
}

// parsed is what was read of a file.
type parsed struct {
	*source.ParsedFile
	// failed means that there is no content.
	failed bool
}

// begin has a file read and parsed, and takes the first of those under way when
// these are enough. Files are taken one by one in the order in which they begin,
// so that the result does not depend on which is read first. A name must not
// begin again before it is taken.
func (l *look) begin(in *input, name string, was seen, read func() source.File) {
	if len(l.readings) >= atOnce*runtime.GOMAXPROCS(0) {
		l.takeFirst()
	}
	held, result := l.collection.File(in.rank, name), make(chan parsed, 1)
	go func() {
		file := read()
		result <- parsed{source.ParseAgain(held, in.rank, file), file.Err != nil}
	}()
	l.readings = append(l.readings, reading{in: in, name: name, seen: was, file: result})
}

// takeFirst waits for the file that began first, and takes it.
func (l *look) takeFirst() {
	first := l.readings[0]
	l.readings = l.readings[1:]
	file := <-first.file
	believed := l.take(first.in, first.name, file.ParsedFile)
	first.seen.old = first.seen.old && believed && !file.failed
	first.in.seen[first.name] = first.seen
}

// finish takes all files that are under way.
func (l *look) finish() {
	for len(l.readings) > 0 {
		l.takeFirst()
	}
}
