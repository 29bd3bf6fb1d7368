package oci

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// These are the limits of an artifact for reading and writing.
const (
	// maxUnpacked is the maximum size of all files in bytes.
	maxUnpacked = 100 << 20
	// maxLayer is the maximum size of a packed layer in bytes.
	maxLayer = 64 << 20
	// maxFiles is the maximum number of files.
	maxFiles = 100_000
)

func tooLarge(files, size int) string {
	return fmt.Sprintf("an artifact with %d files of %d MiB is too large: it can have %d files of %d MiB", files, size>>20, maxFiles, maxUnpacked>>20)
}

// pack returns a layer with the files and links: a compressed tar archive. Equal contents have
// equal layers.
func (c *contents) pack(dir tree.Path) ([]byte, error) {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	written := map[tree.Path]bool{}
	entry := func(path tree.Path, header tar.Header, content []byte) error {
		below, _ := path.RelativeTo(dir)
		for _, parent := range parents(below) {
			if !written[parent] {
				written[parent] = true
				if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: parent.String() + "/", Mode: 0o755, ModTime: time.Unix(0, 0)}); err != nil {
					return err
				}
			}
		}
		header.Name, header.Size, header.ModTime = below.String(), int64(len(content)), time.Unix(0, 0)
		err := archive.WriteHeader(&header)
		if err == nil {
			_, err = archive.Write(content)
		}
		return err
	}
	for _, file := range c.files {
		if err := entry(file.Path, tar.Header{Typeflag: tar.TypeReg, Mode: 0o644}, file.Content); err != nil {
			return nil, err
		}
	}
	for _, each := range c.links {
		if err := entry(each.path, tar.Header{Typeflag: tar.TypeSymlink, Linkname: each.target, Mode: 0o777}, nil); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		return nil, err
	}
	if out.Len() > maxLayer {
		return nil, conflict{why: fmt.Sprintf("the layer would have %d MiB, and at most %d are allowed", out.Len()>>20, maxLayer>>20), fix: fixLarge}
	}
	return out.Bytes(), nil
}

// parents returns the directories above a path, the outermost first.
func parents(path tree.Path) []tree.Path {
	var above []tree.Path
	for dir := path.Dir(); !dir.IsRoot(); dir = dir.Dir() {
		above = append(above, dir)
	}
	slices.Reverse(above)
	return above
}

// unpack returns the files in a layer, with paths that begin with dir. It returns errForeign if the
// layer is invalid or too large.
func unpack(layer []byte, dir tree.Path) (*contents, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		return nil, fmt.Errorf("%w: its layer is not compressed with gzip", errForeign)
	}
	// Headers count too, and can be as large as the files.
	plain := &io.LimitedReader{R: zipped, N: 2 * maxUnpacked}
	archive := tar.NewReader(plain)
	made := &contents{}
	seen := map[tree.Path]struct{}{}
	for entries := 0; ; entries++ {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && entries > 2*maxFiles {
			err = errors.New("there are too many entries")
		}
		if err == nil {
			err = made.take(header, archive, dir, seen)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errForeign, err)
		}
	}
	tree.SortFiles(made.files)
	return made, nil
}

// take adds an entry of an archive.
func (c *contents) take(header *tar.Header, content io.Reader, dir tree.Path, seen map[tree.Path]struct{}) error {
	if header.Typeflag == tar.TypeDir || header.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	below, err := tree.ParsePath(strings.TrimPrefix(header.Name, "./"))
	if err != nil {
		return err
	}
	path := dir.Join(below)
	if _, twice := seen[path]; twice {
		return fmt.Errorf("the path %q is there twice", below)
	}
	seen[path] = struct{}{}
	switch {
	case len(seen) > maxFiles || header.Size > int64(maxUnpacked-c.size):
		return errors.New(tooLarge(len(seen), c.size+int(min(header.Size, maxUnpacked))))
	case header.Typeflag == tar.TypeSymlink:
		c.links = append(c.links, link{path, header.Linkname})
		return nil
	case header.Typeflag != tar.TypeReg:
		return fmt.Errorf("the entry %q is neither a file nor a directory", below)
	}
	read, err := io.ReadAll(io.LimitReader(content, int64(maxUnpacked-c.size)+1))
	if err == nil && int64(len(read)) != header.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("%q: %w", below, err)
	}
	c.size += len(read)
	c.files = append(c.files, tree.File{Path: path, Content: read})
	return nil
}
