package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kratix-schedule/kratix-schedule/internal/secrets"
)

// The replacements for the values of Secrets, as in kubectl diff.
const (
	maskedValue = "***"
	maskBefore  = maskedValue + " (before)"
	maskAfter   = maskedValue + " (after)"
)

// lastApplied is the annotation in which kubectl stores the whole object.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// maxMasked is the maximum size in bytes of a file that is parsed to mask its Secrets.
const maxMasked = 1 << 20

// errWithheld means that a file may contain a Secret and cannot be masked.
var errWithheld = errors.New("it mentions a Secret and is not valid YAML, or too large to mask")

// mentionsSecret matches files that seem to contain a Secret, even if they are not valid YAML.
var mentionsSecret = regexp.MustCompile(`(?i)\bkind["']?\s*:\s*["']?Secret(List|Generator)?\b|\b` + generatorKey + `\b`)

const generatorKey = "secretGenerator"

// isPatch matches files that may contain a patch with a target.
var isPatch = regexp.MustCompile(`target(?s:.)*(patch|jsonop)|(patch|jsonop)(?s:.)*target`)

func mayHoldSecret(text []byte) bool {
	lower := bytes.ToLower(text)
	return bytes.Contains(lower, []byte("secret")) || isPatch.Match(lower)
}

// Masked returns a file with the values of its Secrets replaced, or the reason why the file is not
// shown.
func Masked(content []byte) (shown, withheld string) {
	file, err := FileDiff{New: content}.masked()
	switch {
	case err != nil:
		return "", err.Error()
	case isBinary(file.New):
		return "", "it is binary"
	}
	return string(file.New), ""
}

// masked returns the diff with the values of Secrets replaced, or errWithheld.
func (f FileDiff) masked() (FileDiff, error) {
	before, oldErr := parseSecrets(f.Old)
	after, newErr := parseSecrets(f.New)
	if err := errors.Join(oldErr, newErr); err != nil {
		return f, errWithheld
	}
	oldValues, newValues := before.values(), after.values()
	var err error
	if f.Old, err = before.masked(newValues, maskBefore); err != nil {
		return f, errWithheld
	}
	if f.New, err = after.masked(oldValues, maskAfter); err != nil {
		return f, errWithheld
	}
	return f, nil
}

type secretFile struct{ parts []secretPart }

// secretPart is a part of a file: a text without Secrets, or documents with Secrets.
type secretPart struct {
	text      []byte
	documents []*yaml.Node
	values    []secretValue
}

// secretValue is a value of a Secret. Its name is the same in both versions of the file.
type secretValue struct {
	name string
	node *yaml.Node
	text string
}

var marker = regexp.MustCompile(`(?m)^---.*$\n?`)

// parseSecrets finds the Secrets of a file. It returns errWithheld if the file cannot be masked.
func parseSecrets(content []byte) (secretFile, error) {
	whole := secretFile{parts: []secretPart{{text: content}}}
	switch {
	case !mayHoldSecret(content):
		return whole, nil
	case len(content) > maxMasked:
		return whole, errWithheld
	}
	var file secretFile
	finder := secretFinder{seen: map[string]int{}}
	start := 0
	for _, cut := range append(marker.FindAllIndex(content, -1), []int{len(content), len(content)}) {
		part := secretPart{text: content[start:cut[0]]}
		if err := part.parse(&finder); err != nil {
			if mentionsSecret.Match(content) {
				return whole, errWithheld
			}
			return whole, nil
		}
		file.parts = append(file.parts, part, secretPart{text: content[cut[0]:cut[1]]})
		start = cut[1]
	}
	return file, nil
}

func (p *secretPart) parse(finder *secretFinder) error {
	if !mayHoldSecret(p.text) {
		return nil
	}
	var documents []*yaml.Node
	for decoder := yaml.NewDecoder(bytes.NewReader(p.text)); ; {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		documents = append(documents, &document)
	}
	finder.found, finder.walked, finder.taken = nil, map[*yaml.Node]bool{}, map[*yaml.Node]bool{}
	for _, document := range documents {
		finder.walk(document)
	}
	if finder.found != nil {
		p.documents, p.values = documents, finder.found
	}
	return nil
}

func (f secretFile) values() map[string]string {
	values := map[string]string{}
	for _, part := range f.parts {
		for _, value := range part.values {
			values[value.name] = value.text
		}
	}
	return values
}

// masked returns the file without the values of its Secrets. A value that differs from the value
// with the same name in others is replaced by mask.
func (f secretFile) masked(others map[string]string, mask string) ([]byte, error) {
	if len(f.parts) == 1 {
		return f.parts[0].text, nil
	}
	var out bytes.Buffer
	for _, part := range f.parts {
		if part.documents == nil {
			out.Write(part.text)
			continue
		}
		for _, value := range part.values {
			shown := maskedValue
			if other, there := others[value.name]; there && other != value.text {
				shown = mask
			}
			*value.node = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: shown, Anchor: value.node.Anchor, Style: yaml.SingleQuotedStyle}
		}
		encoder := yaml.NewEncoder(&out)
		encoder.SetIndent(2)
		for _, document := range part.documents {
			dropComments(document)
			if err := encoder.Encode(document); err != nil {
				return nil, err
			}
		}
		if err := encoder.Close(); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

func dropComments(node *yaml.Node) {
	node.HeadComment, node.LineComment, node.FootComment = "", "", ""
	for _, child := range node.Content {
		dropComments(child)
	}
}

type secretFinder struct {
	// seen counts the found parts by name, so that each value gets its own name.
	seen          map[string]int
	walked, taken map[*yaml.Node]bool
	found         []secretValue
}

func (f *secretFinder) walk(node *yaml.Node) {
	node = resolved(node)
	if f.walked[node] {
		return
	}
	f.walked[node] = true
	switch strings.ToLower(scalarOf(node, "kind")) {
	case "secret":
		f.secret(node)
	case "secretgenerator":
		f.generators(&yaml.Node{Content: []*yaml.Node{node}})
	case "secretlist":
		for _, items := range fieldsOf(node, "items") {
			for _, item := range items.Content {
				f.secret(resolved(item))
			}
		}
	}
	for _, generators := range fieldsOf(node, generatorKey) {
		f.generators(generators)
	}
	f.patch(node)
	for _, child := range node.Content {
		f.walk(child)
	}
}

// patch collects texts of a kustomization that may contain values of Secrets.
func (f *secretFinder) patch(node *yaml.Node) {
	for _, target := range fieldsOf(node, "target") {
		if target.Kind != yaml.MappingNode || !secrets.MaySelect(scalarOf(target, "group"), scalarOf(target, "kind")) {
			continue
		}
		for _, field := range []string{"patch", "jsonOp"} {
			for _, patch := range fieldsOf(node, field) {
				f.takeText(patch)
			}
		}
	}
	if node.Kind == yaml.ScalarNode && strings.Contains(node.Value, "\n") && mentionsSecret.MatchString(node.Value) {
		f.takeText(node)
	}
}

func (f *secretFinder) takeText(node *yaml.Node) {
	const name = "text"
	f.take(fmt.Sprintf("%s#%d", name, f.seen[name]), node)
	f.seen[name]++
}

func (f *secretFinder) generators(list *yaml.Node) {
	for i, generator := range list.Content {
		for _, literals := range fieldsOf(generator, "literals") {
			f.take(fmt.Sprintf("%s#%d[%d]", generatorKey, f.seen[generatorKey], i), literals)
		}
	}
	f.seen[generatorKey]++
}

func (f *secretFinder) secret(node *yaml.Node) {
	name := "/"
	for _, metadata := range fieldsOf(node, "metadata") {
		name = scalarOf(metadata, "namespace") + "/" + scalarOf(metadata, "name")
		for _, annotations := range fieldsOf(metadata, "annotations") {
			for _, value := range fieldsOf(annotations, lastApplied) {
				f.take(fmt.Sprintf("%s#%d annotation", name, f.seen[name]), value)
			}
		}
	}
	for _, field := range []string{"data", "stringData"} {
		for _, values := range fieldsOf(node, field) {
			f.take(fmt.Sprintf("%s#%d %s", name, f.seen[name], field), values)
		}
	}
	f.seen[name]++
}

func (f *secretFinder) take(name string, node *yaml.Node) {
	node = resolved(node)
	if f.taken[node] {
		return
	}
	f.taken[node] = true
	switch node.Kind {
	case yaml.ScalarNode:
		f.found = append(f.found, secretValue{name: name, node: node, text: node.Tag + " " + node.Value})
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := resolved(node.Content[i])
			if key.Kind != yaml.ScalarNode { // a template can be valid YAML with such a key
				f.found = append(f.found, secretValue{name: name + " key", node: key})
			}
			f.take(name+"."+key.Value, node.Content[i+1])
		}
	default:
		for i, child := range node.Content {
			f.take(fmt.Sprintf("%s[%d]", name, i), child)
		}
	}
}

func resolved(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode && node.Alias != nil {
		node = node.Alias
	}
	return node
}

// fieldsOf returns the values of a key in a map, including those in merged maps.
func fieldsOf(node *yaml.Node, key string) []*yaml.Node { return fieldsWithin(node, key, 0) }

func fieldsWithin(node *yaml.Node, key string, depth int) []*yaml.Node {
	const deepest = 10
	node = resolved(node)
	if depth > deepest {
		return nil
	}
	var fields []*yaml.Node
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			switch name := resolved(node.Content[i]); {
			case strings.EqualFold(name.Value, key): // kustomize ignores the case of field names
				fields = append(fields, resolved(node.Content[i+1]))
			case name.Value == "<<":
				fields = append(fields, fieldsWithin(node.Content[i+1], key, depth+1)...)
			}
		}
	case yaml.SequenceNode:
		if depth > 0 { // several merged maps
			for _, child := range node.Content {
				fields = append(fields, fieldsWithin(child, key, depth+1)...)
			}
		}
	}
	return fields
}

func scalarOf(node *yaml.Node, key string) string {
	for _, field := range fieldsOf(node, key) {
		if field.Kind == yaml.ScalarNode {
			return field.Value
		}
	}
	return ""
}
