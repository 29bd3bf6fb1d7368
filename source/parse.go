package source

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// File is one file of the input, or why it could not be read.
type File struct {
	// Name is what findings call it.
	Name    string
	Content []byte
	Err     error
}

// ParsedFile is what a file holds. It does not change once a Collection has it.
type ParsedFile struct {
	fileKey
	sum sum
	// claims are the objects that can be used, in the order of the file.
	claims   []*claim
	findings []finding.Finding
	rejected []kratix.Key
	// incomplete means that the file holds something that cannot be named, or is
	// empty.
	incomplete bool
	// empty means that the file has no content: it may have been cut off.
	empty bool
	// unseen means that something in the file which cannot be used may be a
	// Destination.
	unseen bool
	// nameless counts the findings about what has no name or takes no part.
	nameless int
	// marked is the file itself if it has a comment for this program.
	marked *File
}

// Equal reports whether two files have the same rank, name and content.
func (p *ParsedFile) Equal(other *ParsedFile) bool {
	return p.fileKey == other.fileKey && p.sum == other.sum
}

// claim is an object of a file, and where in the file it is. Of several files
// that hold an object of one name the first has it.
type claim struct {
	origin
	file  *ParsedFile
	index int
}

// sum distinguishes contents.
type sum struct {
	hash [sha256.Size]byte
	// failed means that the hash is of what kept the file from being read.
	failed bool
}

// sumOf returns the sum of a file's content, or of what kept it from being read.
func sumOf(file File) sum {
	if file.Err != nil {
		return sum{hash: sha256.Sum256([]byte(file.Err.Error())), failed: true}
	}
	return sum{hash: sha256.Sum256(file.Content)}
}

// Parse reads a file's content. Files are in the order of their ranks, and
// within one of their names, as a walk through their directories meets them.
func Parse(rank int, file File) *ParsedFile { return parse(rank, file, sumOf(file)) }

// ParseAgain is Parse for a file that was read before. It returns held itself if
// that has the same content; held may be nil. Files of a Collection may be read
// beside it.
func ParseAgain(held *ParsedFile, rank int, file File) *ParsedFile {
	sum := sumOf(file)
	if held != nil && held.sum == sum {
		return held
	}
	return parse(rank, file, sum)
}

func parse(rank int, file File, sum sum) *ParsedFile {
	p := &ParsedFile{fileKey: fileKey{rank, file.Name}, sum: sum}
	if file.Err != nil {
		p.unreadable(finding.Place{File: file.Name}, file.Err)
		p.findings[0].Fix = "Make the file readable, or leave it out with --exclude."
		p.unseen = true
		return p
	}
	if len(bytes.TrimSpace(file.Content)) == 0 {
		p.empty, p.incomplete = true, true
		return p
	}
	if bytes.Contains(file.Content, []byte("# kratix-schedule:")) {
		marked := file
		p.marked = &marked
	}
	for _, doc := range documents(file.Content) {
		parsed, err := parseDocument(doc)
		if err != nil {
			p.unreadable(finding.Place{File: file.Name, Line: doc.line}, err)
			p.unseen = p.unseen || mayBeDestination(doc.text)
		}
		for _, object := range parsed {
			p.object(object, finding.Place{File: file.Name, Line: object.Line})
			p.unseen = p.unseen || object.Err != nil && object.Header.Kind == "" && mayBeDestination(doc.text)
		}
	}
	p.tellUntold()
	return p
}

func (p *ParsedFile) object(parsed kratix.Parsed, at finding.Place) {
	at.Object = parsed.Header.String()
	switch {
	case parsed.Err != nil && parsed.Header.Kind == "":
		at.Object = ""
		p.unreadable(at, parsed.Err)
		return
	case parsed.Err != nil:
		if parsed.Header.Kind == kratix.SecretKind {
			key := parsed.Header.Key()
			at.Object = kratix.SecretKind + " " + kratix.Key{Namespace: cmp.Or(key.Namespace, "default"), Name: key.Name}.String()
		}
		at.Line = lineOf(parsed.Err, at.Line)
		p.reject(parsed.Header, finding.Finding{Rule: finding.UnreadableInput(), Place: at, Message: parsed.Err.Error(), Fix: fixOf(parsed.Err)})
		return
	case parsed.Object == nil:
		p.unknownKind(parsed.Header, at)
		return
	}
	defaultNamespace(parsed.Object)
	at.Object = kratix.Describe(parsed.Object)
	for _, field := range parsed.Unknown {
		place := at
		place.Line = field.Line
		p.report(finding.UnknownField(), place, fmt.Sprintf("the field %s is not known and is ignored", field.Path))
	}
	if err := kratix.Check(parsed.Object); err != nil {
		p.reject(parsed.Header, finding.Finding{Rule: finding.InvalidObject(), Place: at, Message: err.Error()})
		return
	}
	p.checkBucket(parsed.Object, at)
	p.claims = append(p.claims, &claim{origin: origin{parsed.Object, at}, file: p, index: len(p.claims)})
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

// mayBeDestination reports, of a text that cannot be read as YAML, whether it was
// meant to be a Destination: that has its kind in it, which Works do not.
func mayBeDestination(text []byte) bool { return bytes.Contains(text, []byte(kratix.DestinationKind)) }

// unreadable reports what could not even be named.
func (p *ParsedFile) unreadable(at finding.Place, err error) {
	at.Line = lineOf(err, at.Line)
	f := finding.Finding{Rule: finding.UnreadableInput(), Place: at, Message: err.Error(), Fix: fixOf(err)}
	var document *kratix.LineError
	if errors.As(err, &document) && document.NoObject {
		f.Cause = finding.NoObject
		f.Fix = "Complete the object; a file that is no manifest needs another ending, or is left out with --exclude."
	}
	p.tellNameless(f)
	p.incomplete = true
}

// lineOf returns the line that an error names; another one if it names none.
func lineOf(err error, other int) int {
	var where *kratix.LineError
	if errors.As(err, &where) {
		return where.Line
	}
	return other
}

// fixOf returns what to do about an object that cannot be read; nothing where the
// rule says enough.
func fixOf(err error) string {
	if errors.Is(err, kratix.ErrEncrypted) {
		return "Decrypt it before it is read, such as with `sops --decrypt`; or let run read it from a cluster (--kube), where Flux has decrypted it."
	}
	return ""
}

// reject reports an object that is there and cannot be used.
func (p *ParsedFile) reject(header kratix.Header, why finding.Finding) {
	p.findings = append(p.findings, why)
	key := header.Key()
	switch {
	case header.Kind == kratix.WorkKind && key.Name != "":
		key.Namespace = cmp.Or(key.Namespace, "default")
		p.rejected = append(p.rejected, key)
	case header.Kind == kratix.WorkKind:
		p.incomplete = true
	case header.Kind == kratix.DestinationKind:
		p.unseen = true
	}
}

func (p *ParsedFile) report(rule finding.Rule, at finding.Place, message string) {
	p.findings = append(p.findings, finding.Finding{Rule: rule, Place: at, Message: message})
}
