package source

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// File is one file of the input, or why it could not be read.
type File struct {
	// Name is what findings call it.
	Name    string
	Content []byte
	Err     error
}

// Collect reads files into a Snapshot. The order of the files does not matter
// but for which of two equal objects counts: the first.
func Collect(files []File) Snapshot {
	c := collector{
		seen: map[string]finding.Place{},
	}
	for _, file := range files {
		c.file(file)
	}
	c.sort()
	return c.snapshot
}

type collector struct {
	snapshot Snapshot
	seen     map[string]finding.Place
}

func (c *collector) file(file File) {
	if file.Err != nil {
		c.unreadable(finding.Place{File: file.Name}, file.Err)
		return
	}
	if bytes.Contains(file.Content, []byte("# kratix-schedule:")) {
		c.snapshot.Marked = append(c.snapshot.Marked, file)
	}
	for _, doc := range documents(file.Content) {
		parsed, err := kratix.Parse(doc.text, doc.line)
		if err != nil {
			c.unreadable(finding.Place{File: file.Name, Line: doc.line}, err)
		}
		for _, object := range parsed {
			c.object(object, finding.Place{File: file.Name, Line: object.Line})
		}
	}
}

func (c *collector) object(parsed kratix.Parsed, at finding.Place) {
	at.Object = parsed.Header.String()
	switch {
	case parsed.Err != nil && parsed.Header.Kind == "":
		at.Object = ""
		c.unreadable(at, parsed.Err)
		return
	case parsed.Err != nil:
		c.reject(parsed.Header, finding.Finding{Rule: finding.UnreadableInput(), Place: at, Message: parsed.Err.Error()})
		return
	case parsed.Object == nil:
		c.report(finding.IgnoredObject(), at, fmt.Sprintf("%s of %s takes no part", parsed.Header.Kind, parsed.Header.APIVersion))
		return
	}
	defaultNamespace(parsed.Object)
	at.Object = kratix.Describe(parsed.Object)
	for _, field := range parsed.Unknown {
		place := at
		place.Line = field.Line
		c.report(finding.UnknownField(), place, fmt.Sprintf("the field %s is not known and is ignored", field.Path))
	}
	if err := kratix.Check(parsed.Object); err != nil {
		c.reject(parsed.Header, finding.Finding{Rule: finding.InvalidObject(), Place: at, Message: err.Error()})
		return
	}
	c.take(parsed.Object, at)
}

// defaultNamespace does what the API does: an object that names none is in
// "default", and what lives outside namespaces is in none.
func defaultNamespace(o kratix.Object) {
	switch o := o.(type) {
	case *kratix.Work:
		o.Namespace = cmp.Or(o.Namespace, "default")
	case *kratix.Secret:
		o.Namespace = cmp.Or(o.Namespace, "default")
	case *kratix.WorkPlacement:
		o.Namespace = cmp.Or(o.Namespace, "default")
	case *kratix.Destination:
		o.Namespace = ""
	case *kratix.Promise:
		o.Namespace = ""
	case *kratix.GitStateStore:
		o.Namespace = ""
	case *kratix.BucketStateStore:
		o.Namespace = ""
	}
}

func (c *collector) take(object kratix.Object, at finding.Place) {
	if first, taken := c.seen[at.Object]; taken {
		c.snapshot.Findings = append(c.snapshot.Findings, finding.Finding{
			Rule: finding.RepeatedObject(), Place: at,
			Message: at.Object + " is in the input twice; the first one counts",
			Related: []finding.Related{{Place: first, Message: "the first one"}},
		})
		return
	}
	c.seen[at.Object] = at
	s := &c.snapshot
	switch o := object.(type) {
	case *kratix.Work:
		s.Works = append(s.Works, o)
	case *kratix.Destination:
		s.Destinations = append(s.Destinations, o)
	case *kratix.GitStateStore:
		s.GitStateStores = append(s.GitStateStores, o)
	case *kratix.BucketStateStore:
		s.BucketStateStores = append(s.BucketStateStores, o)
	case *kratix.Secret:
		s.Secrets = append(s.Secrets, o)
	case *kratix.WorkPlacement:
		s.WorkPlacements = append(s.WorkPlacements, o)
		c.report(finding.IgnoredObject(), at, object.KindName()+" takes no part")
	case *kratix.Promise:
		s.Promises = append(s.Promises, o)
		c.report(finding.IgnoredObject(), at, object.KindName()+" takes no part")
	}
	s.Origins.sorted = append(s.Origins.sorted, &origin{object, at})
}

// unreadable reports what could not even be named.
func (c *collector) unreadable(at finding.Place, err error) {
	var where *kratix.LineError
	if errors.As(err, &where) {
		at.Line = where.Line
	}
	c.report(finding.UnreadableInput(), at, err.Error())
	c.snapshot.Incomplete = true
}

// reject reports an object that is there and cannot be used.
func (c *collector) reject(header kratix.Header, why finding.Finding) {
	c.snapshot.Findings = append(c.snapshot.Findings, why)
	key := header.Key()
	switch {
	case header.Kind == kratix.WorkKind && key.Name != "":
		key.Namespace = cmp.Or(key.Namespace, "default")
		c.snapshot.Rejected = append(c.snapshot.Rejected, key)
	case header.Kind == kratix.WorkKind:
		c.snapshot.Incomplete = true
	}
}

func (c *collector) report(rule finding.Rule, at finding.Place, message string) {
	c.snapshot.Findings = append(c.snapshot.Findings, finding.Finding{Rule: rule, Place: at, Message: message})
}

// sort makes the snapshot the same, whatever the order of the files was.
func (c *collector) sort() {
	s := &c.snapshot
	sortByKey(s.Works)
	sortByKey(s.Destinations)
	sortByKey(s.GitStateStores)
	sortByKey(s.BucketStateStores)
	sortByKey(s.Secrets)
	sortByKey(s.WorkPlacements)
	sortByKey(s.Promises)
	slices.SortFunc(s.Origins.sorted, compareOrigins)
	finding.Sort(s.Findings)
	slices.SortFunc(s.Rejected, compareKeys)
}

func sortByKey[O kratix.Object](objects []O) { slices.SortFunc(objects, compareObjects) }

func compareObjects[O kratix.Object](a, b O) int {
	return compareKeys(kratix.KeyOf(a), kratix.KeyOf(b))
}

func compareKeys(a, b kratix.Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
