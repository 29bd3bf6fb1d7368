package layout

import (
	"fmt"
	"path"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

const (
	// maxGitPath is the maximum length of a path in a repository, in bytes. Linux allows 4,096,
	// including the terminating NUL and the directory of a checkout.
	maxGitPath = 4096 - 256
	// maxKey is the maximum length of an S3 key, in bytes.
	maxKey = 1024
)

// Limits are the restrictions of a Destination's state store on paths and names. They can be
// compared with ==.
type Limits struct {
	kind string
	// top is the path of the store.
	top tree.Path
	// allowed has the patterns of reserved names that are allowed, one per line.
	allowed string
}

// LimitsOf returns the limits of a state store with the given kind and path. allowed are patterns
// of reserved names that are allowed, as in path.Match.
func LimitsOf(kind string, top tree.Path, allowed []string) Limits {
	return Limits{kind: kind, top: top, allowed: strings.Join(allowed, "\n")}
}

// Check returns the findings that keep a placement from being written, and warnings. It does not
// compare the placement with others.
func (l Limits) Check(d *kratix.Destination, p *kratix.WorkPlacement, r Rendering, record tree.Path) (findings, warnings []finding.Finding) {
	base, err := Base(d)
	if err != nil {
		return nil, nil // Render reports the error
	}
	of := placementCheck{Limits: l, object: kratix.WorkKind + " " + p.Work().String(), base: base, Rendering: r}
	of.checkLengths(record)
	if !r.Joined {
		of.checkNames()
		of.checkDirectories()
		of.checkSpelling()
	}
	return of.findings, of.warnings
}

// Fits reports whether a path, relative to the path of the store, is short enough for the store.
// Otherwise why is the reason.
func (l Limits) Fits(p tree.Path) (why string, ok bool) {
	length := len(l.top.Join(p).String())
	switch {
	case l.kind == kratix.BucketStateStoreKind && length > maxKey:
		return fmt.Sprintf("its key would have %d bytes, and S3 takes %d", length, maxKey), false
	case l.kind != kratix.BucketStateStoreKind && length > maxGitPath:
		return fmt.Sprintf("its path in the repository would have %d bytes, and %d is the most that can be checked out", length, maxGitPath), false
	}
	return "", true
}

type placementCheck struct {
	Limits
	Rendering
	object             string
	base               tree.Path
	findings, warnings []finding.Finding
}

func (c *placementCheck) refuse(rule finding.Rule, file File, message string) {
	c.findings = append(c.findings, finding.Finding{Rule: rule, Place: finding.Place{Object: c.object, File: file.Workload}, Message: message})
}

func (c *placementCheck) checkLengths(record tree.Path) {
	for _, file := range c.Files {
		if why, fits := c.Fits(file.Path); !fits {
			c.refuse(finding.UnstorablePath(), file, why)
			if c.Joined {
				return // the files are parts of one joined file, so one finding is enough
			}
		}
	}
	if why, fits := c.Fits(record); !fits {
		c.refuse(finding.UnstorablePath(), File{}, "the record of its placement cannot be stored: "+why)
	}
}

// checkDirectories adds a finding for each file whose path is below the path of another file of the
// placement.
func (c *placementCheck) checkDirectories() {
	var above File
	for _, file := range c.Files {
		if !above.Path.IsRoot() && file.Path.Within(above.Path) {
			c.refuse(finding.UnstorablePath(), file, fmt.Sprintf("the same group has a file %s, and no store holds a file and a directory of one name", above.Workload))
			continue
		}
		above = file
	}
}

func (c *placementCheck) checkSpelling() {
	paths := make([]tree.Path, 0, len(c.Files))
	for _, file := range c.Files {
		paths = append(paths, file.Path)
	}
	alike := tree.CaseCollisions(paths)
	for i, file := range c.Files {
		if other, is := alike[i]; is {
			c.warnings = append(c.warnings, finding.Finding{
				Rule: finding.PathsDifferOnlyInCase(), Place: finding.Place{Object: c.object, File: file.Workload},
				Message: fmt.Sprintf("on some file systems it is the same as %s of the same group", c.Files[other].Workload),
			})
		}
	}
}

func (c *placementCheck) checkNames() {
	for _, file := range c.Files {
		why, always := c.reserved(file.Path)
		if why == "" {
			continue
		}
		c.refuse(finding.ReservedName(), file, why)
		if always {
			c.findings[len(c.findings)-1].Fix = "Have the pipeline leave the file out, or give it another name."
		}
	}
}

// reserved returns the reason why a placement must not have a file at this path, or "". If always
// is true, no setting can allow the path.
func (c *placementCheck) reserved(p tree.Path) (why string, always bool) {
	if c.kind == kratix.BucketStateStoreKind && overlaps(p, segment(recordsDir).Join(segment(revisionName))) {
		return fmt.Sprintf("%s/%s holds the revision of the store", recordsDir, revisionName), true
	}
	flat := c.Dir.IsRoot()
	below, _ := p.RelativeTo(c.Dir)
	if flat {
		below, _ = p.RelativeTo(c.base)
	}
	for top := flat; !below.IsRoot(); top = false {
		var element string
		element, below = below.Cut()
		why, always := c.reservedElement(element, top)
		if why != "" && (always || !c.Allows(element)) {
			return why, always
		}
	}
	return "", false
}

// revisionName is the name of the object with the revision of a bucket, in the directory of the
// records.
const revisionName = "store-revision"

// overlaps reports whether two paths are equal, or one is in the other. It ignores case.
func overlaps(p, q tree.Path) bool {
	a, b := p.Fold()+"/", q.Fold()+"/"
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

// reservedElement returns the reason why an element of a path is reserved, or "". top means that
// the element is at the top of a directory that all placements share. If always is true, no setting
// can allow the element.
func (c *placementCheck) reservedElement(element string, top bool) (why string, always bool) {
	name := tree.PlainName(element)
	switch {
	case top && strings.HasPrefix(name, recordsDir):
		return fmt.Sprintf("%q is reserved: %s in a Destination's directory holds the records of all placements", element, recordsDir), true
	case top && isFixture(name):
		return fmt.Sprintf("%q is reserved: it keeps the Destination's directory in existence", element), true
	case top && name == ignoreFile:
		return fmt.Sprintf("%q is reserved at the top of a Destination: Flux would leave out files of all placements that it names", element), false
	case name == placeholder:
		return "", false
	case isGitName(name) && (top || c.kind != kratix.BucketStateStoreKind):
		return fmt.Sprintf("%q is reserved: git and the hosts of repositories give names that begin with .git a meaning", element), false
	}
	return "", false
}

// ignoreFile is the name of the file with patterns of files that Flux leaves out.
const ignoreFile = ".sourceignore"

// isFixture reports whether Fixtures may return a file with this name. The name must be a result of
// tree.PlainName.
func isFixture(name string) bool {
	return name == placeholder || name == canaryNamespaceFile || name == canaryConfigMapFile
}

// isGitName reports whether git or NTFS may treat the name as one of git's own files, such as
// gitmod~1 for .gitmodules. The name must be a result of tree.PlainName.
func isGitName(name string) bool {
	if strings.HasPrefix(name, ".git") {
		return true
	}
	stem, number, short := strings.Cut(name, "~")
	if !short || number == "" || strings.Trim(number, "0123456789") != "" {
		return false
	}
	switch stem {
	case "gitmod", "gitatt", "gitign":
		return number <= "4" && len(number) == 1
	case "gi7eba", "gi7d29", "gi250a":
		return true
	}
	return false
}

// Allows reports whether one of the patterns allows a reserved name.
func (l Limits) Allows(name string) bool {
	if l.allowed == "" {
		return false
	}
	for pattern := range strings.SplitSeq(l.allowed, "\n") {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}
