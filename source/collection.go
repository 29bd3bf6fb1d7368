package source

import (
	"reflect"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Collection holds files and keeps the Snapshot of them current: what a change
// costs is in the size of the changed file, but for copies of the lists that it
// changes. It keeps no content of files but of those in Snapshot.Marked. It is
// not for concurrent use; the snapshots that it gave are.
type Collection struct {
	files map[fileKey]*ParsedFile
	// claims are, by what an object is called, those that files have, in order.
	claims map[string][]*claim
	// incomplete counts the files that hold something that cannot be named.
	incomplete int
	// unseen counts the files that hold something that may be a Destination.
	unseen   int
	marked   []*ParsedFile
	snapshot Snapshot
	// words are what the objects say, most of them the same.
	words kratix.Words
	// changes are what the snapshot does not know yet.
	changes changes
}

// NewCollection returns a Collection without files.
func NewCollection() *Collection {
	return &Collection{files: map[fileKey]*ParsedFile{}, claims: map[string][]*claim{}}
}

// Collect reads files into a Snapshot. The order of the files does not matter
// but for which of two equal objects counts: the first.
func Collect(files []File) Snapshot {
	c := NewCollection()
	for rank, file := range files {
		c.Set(rank, file)
	}
	return c.Snapshot()
}

// Set takes a file, or its new content. A file whose content is what it was
// keeps its objects, and one that changed keeps those that are equal.
func (c *Collection) Set(rank int, file File) {
	held := c.File(rank, file.Name)
	if read := ParseAgain(held, rank, file); read != held {
		c.Put(read)
	}
}

// File returns a file as the collection has it; nil when it has none of that name.
func (c *Collection) File(rank int, name string) *ParsedFile { return c.files[fileKey{rank, name}] }

// Put takes a file that is parsed already and that no Collection has yet. Its
// objects are made to share memory with those that are there.
func (c *Collection) Put(file *ParsedFile) {
	c.touchFile(file.fileKey)
	old := c.files[file.fileKey]
	c.takeOver(file, old)
	if old != nil {
		c.drop(old)
	}
	c.files[file.fileKey] = file
	c.count(file, 1)
	for _, each := range file.claims {
		name := each.place.Object
		c.touch(name)
		at, _ := slices.BinarySearchFunc(c.claims[name], each, compareClaims)
		c.claims[name] = slices.Insert(c.claims[name], at, each)
	}
}

// Remove takes a file out; one that is not there is no error.
func (c *Collection) Remove(rank int, name string) {
	key := fileKey{rank, name}
	if file := c.files[key]; file != nil {
		c.touchFile(key)
		c.drop(file)
	}
}

func (c *Collection) drop(file *ParsedFile) {
	delete(c.files, file.fileKey)
	c.count(file, -1)
	for _, each := range file.claims {
		name := each.place.Object
		c.touch(name)
		at, _ := slices.BinarySearchFunc(c.claims[name], each, compareClaims)
		c.claims[name] = slices.Delete(c.claims[name], at, at+1)
		if len(c.claims[name]) == 0 {
			delete(c.claims, name)
		}
	}
}

func (c *Collection) count(file *ParsedFile, n int) {
	if file.incomplete {
		c.incomplete += n
	}
	if file.unseen {
		c.unseen += n
	}
}

// Loses reports whether the collection would lose something if it took the file:
// an object that no other file has, or a group or files of a Work.
func (c *Collection) Loses(file *ParsedFile) bool {
	if len(c.Lost(file)) > 0 {
		return true
	}
	old := c.files[file.fileKey]
	if old == nil {
		return false
	}
	present := file.objects()
	return slices.ContainsFunc(old.claims, func(each *claim) bool {
		object, stays := present[each.place.Object]
		return stays && workloads(object) < workloads(each.object)
	})
}

// workloads counts the files of a Work.
func workloads(object kratix.Object) int {
	count := 0
	if work, is := object.(*kratix.Work); is {
		for _, group := range work.Spec.WorkloadGroups {
			count += len(group.Workloads)
		}
	}
	return count
}

// objects returns the first object of each name.
func (p *ParsedFile) objects() map[string]kratix.Object {
	objects := make(map[string]kratix.Object, len(p.claims))
	for _, each := range p.claims {
		if _, twice := objects[each.place.Object]; !twice {
			objects[each.place.Object] = each.object
		}
	}
	return objects
}

// takeOver has a file use the words of others, and the objects of its former
// content that are equal; old is nil for a new file.
func (c *Collection) takeOver(file, old *ParsedFile) {
	var objects map[string]kratix.Object
	if old != nil {
		objects = old.objects()
	}
	for _, each := range file.claims {
		if was := objects[each.place.Object]; was != nil && was == each.object {
			continue // it was kept, and snapshots have it
		}
		switch object := each.object.(type) {
		case *kratix.Work:
			c.words.ShareWork(object)
		case *kratix.WorkPlacement:
			c.words.ShareWorkPlacement(object)
		}
		if object := objects[each.place.Object]; object != nil && reflect.DeepEqual(object, each.object) {
			each.object = object
		}
	}
}
