package dir

import (
	"runtime"

	"github.com/kratix-schedule/kratix-schedule/source"
)

// atOnce is the number of files per processor that are read and parsed concurrently. With more than
// one, a slow file does not block the others.
const atOnce = 2

type reading struct {
	in   *input
	name string
	// seen is the state of the file before it was read.
	seen seen
	file <-chan parsed
}

type parsed struct {
	*source.ParsedFile
	failed bool
}

// begin starts a goroutine that reads and parses a file. If too many files are in progress, begin
// first waits for the oldest. Results are used in the order in which the files were started, so
// they do not depend on timing. The result of a file must be used before begin is called for the
// same file again.
func (l *scan) begin(in *input, name string, was seen, read func() source.File) {
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

// takeFirst waits for the oldest file in progress and adds it to the collection.
func (l *scan) takeFirst() {
	first := l.readings[0]
	l.readings = l.readings[1:]
	file := <-first.file
	applied := l.take(first.in, first.name, file.ParsedFile)
	first.seen.old = first.seen.old && applied && !file.failed
	first.in.seen[first.name] = first.seen
}

// finish waits for all files in progress and adds them to the collection.
func (l *scan) finish() {
	for len(l.readings) > 0 {
		l.takeFirst()
	}
}
