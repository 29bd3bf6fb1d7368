package tree

// Set is a set of files and of whole directories.
type Set struct {
	files, dirs map[Path]struct{}
}

// AddFile adds a file.
func (s *Set) AddFile(p Path) {
	if s.files == nil {
		s.files = map[Path]struct{}{}
	}
	s.files[p] = struct{}{}
}

// AddDir adds a directory and everything in it.
func (s *Set) AddDir(p Path) {
	if s.dirs == nil {
		s.dirs = map[Path]struct{}{}
	}
	s.dirs[p] = struct{}{}
}

// Has reports whether the set has the file p, the directory p, or a parent directory of p.
func (s *Set) Has(p Path) bool {
	if _, ok := s.files[p]; ok {
		return true
	}
	if len(s.dirs) == 0 {
		return false
	}
	for dir := p; ; dir = dir.Dir() {
		if _, ok := s.dirs[dir]; ok {
			return true
		}
		if dir.IsRoot() {
			return false
		}
	}
}
