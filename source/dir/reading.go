package dir

import (
	"runtime"

	"github.com/kratix-schedule/kratix-schedule/source"
)

// atOnce is the number of files per processor that are read concurrently.
const atOnce = 8

type reading struct {
	in   *input
	name string
	seen seen
	file <-chan parsed
}

type parsed struct {
	*source.ParsedFile
	failed bool
}

// begin starts to read and parse a file. Results are used in the order of the starts. The result
// for a file must be used before begin is called for it again.
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

func (l *scan) takeFirst() {
	first := l.readings[0]
	l.readings = l.readings[1:]
	file := <-first.file
	applied := l.take(first.in, first.name, file.ParsedFile)
	first.seen.old = first.seen.old && applied && !file.failed
	first.in.seen[first.name] = first.seen
}

func (l *scan) finish() {
	for len(l.readings) > 0 {
		l.takeFirst()
	}
}
