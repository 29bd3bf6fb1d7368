package source

import (
	"reflect"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Collection holds parsed files and keeps their Snapshot up to date. It is not safe for concurrent
// use, but its snapshots are.
type Collection struct {
	files map[fileKey]*ParsedFile
	// claims are the definitions of each object, by kind and name, in the order of the files.
	claims map[string][]*claim
	// incomplete counts the files for which ParsedFile.incomplete is set.
	incomplete int
	// unseen counts the files for which ParsedFile.unseen is set.
	unseen   int
	marked   []*ParsedFile
	snapshot Snapshot
	strings  kratix.Interner
	changes  changes
}

// NewCollection returns an empty Collection.
func NewCollection() *Collection {
	return &Collection{files: map[fileKey]*ParsedFile{}, claims: map[string][]*claim{}}
}

// Collect returns the Snapshot of files. If several files define an object, the first counts; of
// profiles, the newest counts.
func Collect(files []File) Snapshot {
	c := NewCollection()
	for rank, file := range files {
		c.Set(rank, file)
	}
	return c.Snapshot()
}

// Set adds a file or replaces its content. Objects that do not change keep their pointers.
func (c *Collection) Set(rank int, file File) {
	held := c.File(rank, file.Name)
	if read := ParseAgain(held, rank, file); read != held {
		c.Put(read)
	}
}

// File returns a file of the collection, or nil if there is none.
func (c *Collection) File(rank int, name string) *ParsedFile { return c.files[fileKey{rank, name}] }

// Put adds a parsed file, or replaces the file of the same rank and name. It modifies the parsed
// file.
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

// Remove removes a file, if the collection has it.
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

// Loses reports whether adding the file would remove an object, or groups or files of a Work.
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

func workloads(object kratix.Object) int {
	count := 0
	if work, is := object.(*kratix.Work); is {
		for _, group := range work.Spec.WorkloadGroups {
			count += len(group.Workloads)
		}
	}
	return count
}

// objects returns the objects of the file by name. Of several objects with one name, it returns the
// first.
func (p *ParsedFile) objects() map[string]kratix.Object {
	objects := make(map[string]kratix.Object, len(p.claims))
	for _, each := range p.claims {
		if _, twice := objects[each.place.Object]; !twice {
			objects[each.place.Object] = each.object
		}
	}
	return objects
}

// takeOver interns the strings of a file's objects, and replaces objects by equal objects of old.
// old may be nil.
func (c *Collection) takeOver(file, old *ParsedFile) {
	var objects map[string]kratix.Object
	if old != nil {
		objects = old.objects()
	}
	for _, each := range file.claims {
		if was := objects[each.place.Object]; was != nil && was == each.object {
			continue // snapshots may share the object, so it must not be modified
		}
		switch object := each.object.(type) {
		case *kratix.Work:
			c.strings.ShareWork(object)
		case *kratix.WorkPlacement:
			c.strings.ShareWorkPlacement(object)
		}
		if object := objects[each.place.Object]; object != nil && reflect.DeepEqual(object, each.object) {
			each.object = object
		}
	}
}
