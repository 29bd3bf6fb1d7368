package source

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// changes has the files and objects that have changed since the last Snapshot.
type changes struct {
	// files has each file as in the last Snapshot, or nil for a new file.
	files map[fileKey]*ParsedFile
	// objects has the objects as in the last Snapshot, by kind and name.
	objects map[string]before
}

type before struct {
	winner   *claim
	findings []finding.Finding
}

// touchFile saves a file in c.changes. It must be called before the file changes.
func (c *Collection) touchFile(key fileKey) {
	if _, known := c.changes.files[key]; known {
		return
	}
	if c.changes.files == nil {
		c.changes.files = map[fileKey]*ParsedFile{}
	}
	c.changes.files[key] = c.files[key]
}

// touch saves an object in c.changes. It must be called before the object changes.
func (c *Collection) touch(name string) {
	if _, known := c.changes.objects[name]; known {
		return
	}
	if c.changes.objects == nil {
		c.changes.objects = map[string]before{}
	}
	claims := c.claims[name]
	c.changes.objects[name] = before{winner(claims), findingsOf(claims)}
}

// winner returns the definition that counts: the first definition, or of profiles the newest. It
// returns nil if there are no definitions.
func winner(claims []*claim) *claim {
	if len(claims) == 0 {
		return nil
	}
	best := claims[0]
	for _, each := range claims[1:] {
		if isNewer(each.object, best.object) {
			best = each
		}
	}
	return best
}

func findingsOf(claims []*claim) []finding.Finding {
	var findings []finding.Finding
	best := winner(claims)
	for _, each := range claims {
		switch {
		case each != best:
			findings = append(findings, repeated(each.place, best.object, best.place))
		case isIdle(each.object):
			findings = append(findings, finding.Finding{
				Rule: finding.IgnoredObject(), Place: each.place, Message: each.object.KindName() + " is ignored",
			})
		}
	}
	return findings
}

// isIdle reports whether a finding reports that an object of a file is ignored.
func isIdle(object kratix.Object) bool {
	switch object.(type) {
	case *kratix.WorkPlacement, *kratix.Promise:
		return true
	}
	return false
}

// Snapshot returns the current objects of the files. It does not modify earlier snapshots.
func (c *Collection) Snapshot() Snapshot {
	var out, in parts
	for key, was := range c.changes.files {
		out.takeFile(was)
		in.takeFile(c.files[key])
	}
	for name, was := range c.changes.objects {
		claims := c.claims[name]
		if now := winner(claims); now != was.winner {
			out.takeOrigin(was.winner)
			in.takeOrigin(now)
		}
		out.findings = append(out.findings, was.findings...)
		in.findings = append(in.findings, findingsOf(claims)...)
	}
	c.changes = changes{}
	c.apply(out, in)
	return c.snapshot
}

type parts struct {
	origins          []*origin
	findings         []finding.Finding
	rejected         []kratix.Key
	rejectedRollouts []string
	marked           []*ParsedFile
	empty            []string
}

func (p *parts) takeFile(file *ParsedFile) {
	if file == nil {
		return
	}
	p.findings = append(p.findings, file.findings...)
	p.rejected = append(p.rejected, file.rejected...)
	p.rejectedRollouts = append(p.rejectedRollouts, file.rejectedRollouts...)
	if file.marked != nil {
		p.marked = append(p.marked, file)
	}
	if file.empty {
		p.empty = append(p.empty, file.name)
	}
}

func (p *parts) takeOrigin(of *claim) {
	if of != nil {
		p.origins = append(p.origins, &of.origin)
	}
}

// apply removes the elements of out from the snapshot, and adds the elements of in.
func (c *Collection) apply(out, in parts) {
	s := &c.snapshot
	s.Origins.sorted = splice(s.Origins.sorted, out.origins, in.origins, compareOrigins)
	s.Works = change(s.Works, out.origins, in.origins)
	s.Destinations = change(s.Destinations, out.origins, in.origins)
	s.GitStateStores = change(s.GitStateStores, out.origins, in.origins)
	s.BucketStateStores = change(s.BucketStateStores, out.origins, in.origins)
	s.OCIStateStores = change(s.OCIStateStores, out.origins, in.origins)
	s.Rollouts = change(s.Rollouts, out.origins, in.origins)
	s.RejectedRollouts = splice(s.RejectedRollouts, out.rejectedRollouts, in.rejectedRollouts, cmp.Compare[string])
	s.Secrets = change(s.Secrets, out.origins, in.origins)
	s.WorkPlacements = change(s.WorkPlacements, out.origins, in.origins)
	s.Promises = change(s.Promises, out.origins, in.origins)
	s.Profiles = change(s.Profiles, out.origins, in.origins)
	s.Findings = splice(s.Findings, out.findings, in.findings, finding.Compare)
	s.Rejected = splice(s.Rejected, out.rejected, in.rejected, kratix.Key.Compare)
	s.Empty = splice(s.Empty, out.empty, in.empty, cmp.Compare[string])
	s.Incomplete, s.Unseen = c.incomplete > 0, c.unseen > 0
	if len(out.marked)+len(in.marked) == 0 {
		return
	}
	c.marked = splice(c.marked, out.marked, in.marked, compareParsed)
	s.Marked = nil
	for _, file := range c.marked {
		s.Marked = append(s.Marked, *file.marked)
	}
	s.Marked = slices.Clip(s.Marked)
}

func change[O interface {
	kratix.Object
	comparable
}](list []O, out, in []*origin) []O {
	gone, come := ofKind[O](out), ofKind[O](in)
	if slices.Equal(gone, come) {
		return list // the objects are equal; only their places may differ
	}
	return splice(list, gone, come, Compare)
}

func ofKind[O kratix.Object](origins []*origin) []O {
	var objects []O
	for _, each := range origins {
		if object, is := each.object.(O); is {
			objects = append(objects, object)
		}
	}
	return objects
}
