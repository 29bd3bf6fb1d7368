package reconcile

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// DefaultMaxUnpacked is the default of Policy.MaxUnpacked, in bytes.
const DefaultMaxUnpacked = 2 << 30

const mebibyte = 1 << 20

// contents holds the unpacked sizes of the Works. The zero value is ready for use.
type contents struct {
	works []*kratix.Work
	total int64
	// objects are upper bounds on the number of objects in Works.
	objects   map[*kratix.Work]int64
	excessive map[*kratix.Work]string
	// interned are large files.
	interned generations[[sha256.Size]byte, []byte]
}

// Within returns the snapshot without the Works that exceed the limits for unpacked content. most
// is the limit for all Works in bytes. The omitted Works are added to Rejected.
func Within(snapshot source.Snapshot, most int64) source.Snapshot {
	var c contents
	return c.within(snapshot, most)
}

// within is Within with cached sizes.
func (c *contents) within(snapshot source.Snapshot, most int64) source.Snapshot {
	most = cmp.Or(most, DefaultMaxUnpacked)
	c.update(snapshot.Works)
	total := c.total
	if total*bytesForDensest > most {
		total = c.count()
	}
	if len(c.excessive) == 0 && total <= most {
		return snapshot
	}
	rejected := make(map[*kratix.Work]string, len(c.excessive))
	for work, why := range c.excessive {
		rejected[work] = why
	}
	if total > most {
		c.rejectLargest(total, most, rejected)
	}
	snapshot.Works = slices.DeleteFunc(slices.Clone(snapshot.Works), func(work *kratix.Work) bool { return rejected[work] != "" })
	snapshot.Rejected, snapshot.Findings = slices.Clone(snapshot.Rejected), slices.Clone(snapshot.Findings)
	for work, why := range rejected {
		at := snapshot.Origins.Of(work)
		at.Object = kratix.Describe(work)
		snapshot.Rejected = append(snapshot.Rejected, kratix.KeyOf(work))
		snapshot.Findings = append(snapshot.Findings, finding.Finding{
			Rule: finding.UndecodableContent(), Place: at, Message: why, Cause: finding.TooLarge,
			Fix: "Have the pipeline write less, or write in several requests; --max-unpacked bounds what all Works have together.",
		})
	}
	slices.SortFunc(snapshot.Rejected, kratix.Key.Compare)
	finding.Sort(snapshot.Findings)
	return snapshot
}

func (c *contents) update(works []*kratix.Work) {
	gone, come := c.works, works
	for len(gone) > 0 && len(come) > 0 && gone[0] == come[0] {
		gone, come = gone[1:], come[1:]
	}
	for len(gone) > 0 && len(come) > 0 && gone[len(gone)-1] == come[len(come)-1] {
		gone, come = gone[:len(gone)-1], come[:len(come)-1]
	}
	for _, work := range gone {
		if c.excessive[work] == "" {
			c.total -= unpackedSize(work)
		}
		delete(c.excessive, work)
		delete(c.objects, work)
	}
	for _, work := range come {
		why := excess(work)
		if why == "" {
			c.total += unpackedSize(work)
			continue
		}
		if c.excessive == nil {
			c.excessive = map[*kratix.Work]string{}
		}
		c.excessive[work] = why
	}
	c.works = works
}

// bytesForObject is the assumed memory of an object beyond its text. bytesForDensest is the assumed
// maximum for one byte of text: the smallest object has about 40 bytes of text.
const (
	bytesForObject  = 1 << 10
	bytesForDensest = 1 + bytesForObject/40
)

// count returns the assumed memory of the Works in bytes, without those in excessive.
func (c *contents) count() int64 {
	if c.objects == nil {
		c.objects = map[*kratix.Work]int64{}
	}
	total := c.total
	for _, work := range c.works {
		if c.excessive[work] != "" {
			continue
		}
		objects, known := c.objects[work]
		if !known {
			objects = countObjects(work)
			c.objects[work] = objects
		}
		total += objects * bytesForObject
	}
	return total
}

func (c *contents) weight(work *kratix.Work) int64 {
	return unpackedSize(work) + c.objects[work]*bytesForObject
}

func countObjects(work *kratix.Work) (objects int64) {
	for _, group := range work.Spec.WorkloadGroups {
		for _, workload := range group.Workloads {
			objects += kratix.CountObjects(workload.Content)
		}
	}
	return objects
}

// tenant is a namespace with its Works, smallest first.
type tenant struct {
	works []weightedWork
	total int64
}

type weightedWork struct {
	work *kratix.Work
	size int64
}

// rejectLargest adds Works to rejected until the rest takes no more than most bytes. It takes them
// from the largest namespace, so that one namespace with much content does not affect others.
func (c *contents) rejectLargest(all, most int64, rejected map[*kratix.Work]string) {
	tenants := c.tenants()
	for total := all; total > most; {
		largest := slices.MaxFunc(tenants, func(a, b *tenant) int { return cmp.Compare(a.total, b.total) })
		last := len(largest.works) - 1
		one := largest.works[last]
		rejected[one.work] = fmt.Sprintf("all Works unpack to %.1f MiB, more than the %.1f MiB of --max-unpacked: this one, with %.1f MiB, is among the largest of its namespace",
			float64(all)/mebibyte, float64(most)/mebibyte, float64(one.size)/mebibyte)
		largest.works, largest.total, total = largest.works[:last], largest.total-one.size, total-one.size
	}
}

func (c *contents) tenants() []*tenant {
	var tenants []*tenant
	byName := map[string]*tenant{}
	for _, work := range c.works {
		if c.excessive[work] != "" {
			continue
		}
		of := byName[work.Namespace]
		if of == nil {
			of = &tenant{}
			byName[work.Namespace], tenants = of, append(tenants, of)
		}
		size := c.weight(work)
		of.works, of.total = append(of.works, weightedWork{work, size}), of.total+size
	}
	for _, of := range tenants {
		slices.SortStableFunc(of.works, func(a, b weightedWork) int { return cmp.Compare(a.size, b.size) })
	}
	return tenants
}

// unpackedSize returns the unpacked size in bytes that the files of a Work declare.
func unpackedSize(work *kratix.Work) (size int64) {
	for _, group := range work.Spec.WorkloadGroups {
		for _, workload := range group.Workloads {
			size += kratix.UnpackedSize(workload.Content)
		}
	}
	return size
}

// excess returns the reason why a Work exceeds the limits for one Work, or "".
func excess(work *kratix.Work) string {
	for _, group := range work.Spec.WorkloadGroups {
		for _, workload := range group.Workloads {
			if size := kratix.UnpackedSize(workload.Content); size > kratix.MaxContent {
				return fmt.Sprintf("its file %s unpacks to %.1f MiB, more than the %d MiB that a file may have", workload.Filepath, float64(size)/mebibyte, kratix.MaxContent/mebibyte)
			}
		}
	}
	if size := unpackedSize(work); size > kratix.MaxWork {
		return fmt.Sprintf("its files unpack to %.1f MiB, more than the %d MiB that a Work may have", float64(size)/mebibyte, kratix.MaxWork/mebibyte)
	}
	return ""
}

// largeContent is the size in bytes from which files are interned.
const largeContent = 64 << 10

// intern replaces the contents of large files by equal contents that are in memory already.
func (c *contents) intern(files []layout.File) {
	for i := range files {
		if len(files[i].Content) < largeContent {
			continue
		}
		key := sha256.Sum256(files[i].Content)
		content, known := c.interned.get(key)
		if !known {
			content = c.interned.put(key, files[i].Content)
		}
		files[i].Content = content
	}
}
