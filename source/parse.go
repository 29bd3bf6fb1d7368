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

// File is a file of the input: its content, or the error from reading it.
type File struct {
	// Name is the name of the file in findings.
	Name    string
	Content []byte
	Err     error
}

// ParsedFile is a parsed file. It must not be modified once it is in a Collection.
type ParsedFile struct {
	fileKey
	digest   digest
	claims   []*claim
	findings []finding.Finding
	rejected []kratix.Key
	// rejectedRollouts are the names of Rollouts that exist but are invalid.
	rejectedRollouts []string
	// incomplete means that the file is empty, or may have objects that cannot be read.
	incomplete bool
	// empty means that the file has nothing but white space.
	empty bool
	// unseen means that the file may have a Destination that cannot be read.
	unseen bool
	// nameless counts the calls of reportNameless.
	nameless int
	// marked is the file if it contains a comment for this program, and nil otherwise.
	marked *File
}

// Equal reports whether two files have the same rank, name, and content or error.
func (p *ParsedFile) Equal(other *ParsedFile) bool {
	return p.fileKey == other.fileKey && p.digest == other.digest
}

// claim is the definition of an object in a file.
type claim struct {
	origin
	file  *ParsedFile
	index int
}

type digest struct {
	hash [sha256.Size]byte
	// failed means that the file could not be read. hash is then the hash of the error.
	failed bool
}

func digestOf(file File) digest {
	if file.Err != nil {
		return digest{hash: sha256.Sum256([]byte(file.Err.Error())), failed: true}
	}
	return digest{hash: sha256.Sum256(file.Content)}
}

// Parse parses a file. Files of a lower rank take precedence.
func Parse(rank int, file File) *ParsedFile { return parse(rank, file, digestOf(file)) }

// ParseAgain returns held if it has the content of the file, and otherwise parses the file. held
// may be nil.
func ParseAgain(held *ParsedFile, rank int, file File) *ParsedFile {
	sum := digestOf(file)
	if held != nil && held.digest == sum {
		return held
	}
	return parse(rank, file, sum)
}

func parse(rank int, file File, sum digest) *ParsedFile {
	p := &ParsedFile{fileKey: fileKey{rank, file.Name}, digest: sum}
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
	p.reportNamelessCount()
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
		if !p.profile(&parsed, at) {
			p.unknownKind(parsed.Header, at)
		}
		return
	}
	defaultNamespace(parsed.Object)
	at.Object = kratix.Describe(parsed.Object)
	for _, field := range parsed.Unknown {
		place := at
		place.Line = field.Line
		p.report(finding.UnknownField(), place, fmt.Sprintf("the field %s is not known and is ignored", field.Path))
	}
	if d, is := parsed.Object.(*kratix.Destination); is {
		d.UseNamedStore()
	}
	if err := kratix.Check(parsed.Object); err != nil {
		p.reject(parsed.Header, finding.Finding{Rule: finding.InvalidObject(), Place: at, Message: err.Error()})
		return
	}
	p.checkBucket(parsed.Object, at)
	p.claims = append(p.claims, &claim{origin: origin{parsed.Object, at}, file: p, index: len(p.claims)})
}

// defaultNamespace sets the namespace to "default" for namespaced objects without one, and to none
// for cluster-scoped objects.
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
	case *kratix.OCIStateStore:
		o.Namespace = ""
	case *kratix.Rollout:
		o.Namespace = ""
	}
}

// mayBeDestination reports whether an invalid document may be a Destination.
func mayBeDestination(text []byte) bool { return bytes.Contains(text, []byte(kratix.DestinationKind)) }

func (p *ParsedFile) unreadable(at finding.Place, err error) {
	at.Line = lineOf(err, at.Line)
	f := finding.Finding{Rule: finding.UnreadableInput(), Place: at, Message: err.Error(), Fix: fixOf(err)}
	var document *kratix.LineError
	if errors.As(err, &document) && document.NoObject {
		f.Cause = finding.NoObject
		f.Fix = "Complete the object; if the file is not a manifest, give it another extension or leave it out with --exclude."
	}
	p.reportNameless(f)
	p.incomplete = true
}

func lineOf(err error, other int) int {
	var where *kratix.LineError
	if errors.As(err, &where) {
		return where.Line
	}
	return other
}

// fixOf returns the fix for an unreadable document, or "" if the rule's own fix applies.
func fixOf(err error) string {
	if errors.Is(err, kratix.ErrEncrypted) {
		return "Decrypt it before it is read, such as with `sops --decrypt`; or let run read it from a cluster (--kube), where Flux has decrypted it."
	}
	return ""
}

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
	case header.Kind == kratix.RolloutKind:
		p.rejectedRollouts = append(p.rejectedRollouts, key.Name)
	}
}

func (p *ParsedFile) report(rule finding.Rule, at finding.Place, message string) {
	p.findings = append(p.findings, finding.Finding{Rule: rule, Place: at, Message: message})
}
