package git

import (
	"io"
	"sync"
)

// pageSize is the size of a page in bytes.
const pageSize = 4 << 10

// pages is memory that is read and written like a file. It grows without copying its content.
type pages struct {
	mu  sync.RWMutex
	all []*[pageSize]byte
}

func (p *pages) ReadAt(to []byte, at int64) (n int, err error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for n < len(to) {
		page, within := p.locate(at + int64(n))
		if page >= len(p.all) {
			return n, io.EOF
		}
		n += copy(to[n:], p.all[page][within:])
	}
	return n, nil
}

func (p *pages) WriteAt(from []byte, at int64) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n < len(from) {
		page, within := p.locate(at + int64(n))
		for page >= len(p.all) {
			p.all = append(p.all, new([pageSize]byte))
		}
		n += copy(p.all[page][within:], from[n:])
	}
	return n, nil
}

func (*pages) locate(at int64) (page, within int) { return int(at / pageSize), int(at % pageSize) }
