package kustomize

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"runtime"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"
)

// Builder builds directories and units with kustomizations.
type Builder interface {
	// Nested does the same as BuildNested. Units does the same as BuildUnits.
	Nested(root, dir tree.Path, files []tree.File) (Nested, error)
	Units(root tree.Path, units []tree.Path, files []tree.File) error
}

type inProcess struct{}

func (inProcess) Nested(root, dir tree.Path, files []tree.File) (Nested, error) {
	return BuildNested(root, dir, files)
}

func (inProcess) Units(root tree.Path, units []tree.Path, files []tree.File) error {
	return BuildUnits(root, units, files)
}

func (c *Cache) builder() Builder {
	if c.Builder == nil {
		return inProcess{}
	}
	return c.Builder
}

type digest = [sha256.Size]byte

// Cache parses files and builds directories, and caches the results by the digest of the contents.
// The zero Cache is empty. It is safe for concurrent use.
type Cache struct {
	// Builder builds the directories with kustomizations. If it is nil, the Cache builds them in
	// this process.
	Builder Builder
	// Stop, when closed, makes the Cache stop parsing files. It may be nil.
	Stop <-chan struct{}
	// KeepNodes is the maximum number of YAML nodes that are kept for Contents until DropNodes is
	// called.
	KeepNodes int

	// reading limits the number of nodes that are in memory while files are parsed.
	reading budget
	mu      sync.Mutex
	// files and older are two generations of cached files.
	files, older map[digest]*cachedFile
	builds       map[digest]*cachedBuild
	messages     map[string]string
	kept         keptNodes
	round        int
}

const maxFiles = 1 << 15

type cachedFile struct {
	FileObjects
	round int
}

type cachedBuild struct {
	nested Nested
	err    error
	// round is the last round that used the entry. made is the round of the build.
	round, made int
}

// boundsRounds is the number of rounds after which a build that exceeded its limits is tried again.
const boundsRounds = 100

// FileObjects is the result of parsing a file. It is shared, so callers must not modify it.
type FileObjects struct {
	Objects []Object
	// Err is the reason why the file cannot be parsed. Objects is then empty.
	Err error
	// Late is an error about the file from a step after parsing.
	Late error
}

// File returns the objects of a file. It parses the file if it is not cached.
func (c *Cache) File(content []byte) FileObjects {
	key := sha256.Sum256(content)
	for {
		if file := c.known(key); file != nil {
			return file.FileObjects
		}
		if c.isStopped() {
			return FileObjects{Err: ErrStopped}
		}
		c.load([][]byte{content})
	}
}

// Load parses files in parallel and caches the results.
func (c *Cache) Load(contents [][]byte) {
	work := make(chan [][]byte)
	var done sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(contents)) {
		done.Go(func() {
			for some := range work {
				c.load(some)
			}
		})
	}
	const bundle = 64
	for start := 0; start < len(contents); start += bundle {
		work <- contents[start:min(start+bundle, len(contents))]
	}
	close(work)
	done.Wait()
}

// ErrStopped is the error of a file that was not read because Cache.Stop is closed.
var ErrStopped = errors.New("it is not read: the program was interrupted")

func (c *Cache) isStopped() bool {
	select {
	case <-c.Stop:
		return true
	default:
		return false
	}
}

type unread struct {
	contents [][]byte
	digests  []digest
}

func (u *unread) add(content []byte, key digest) {
	u.contents, u.digests = append(u.contents, content), append(u.digests, key)
}

func (c *Cache) load(contents [][]byte) {
	var some unread
	nodes := 0
	taken := map[digest]bool{}
	for _, content := range contents {
		key := sha256.Sum256(content)
		if taken[key] || c.known(key) != nil {
			continue
		}
		taken[key] = true
		more := yamlnodes.AtMost(content)
		if nodes+more > manyNodes && len(some.contents) > 0 {
			c.read(some, nodes)
			some, nodes = unread{}, 0
		}
		some.add(content, key)
		nodes += more
	}
	if len(some.contents) > 0 {
		c.read(some, nodes)
	}
}

// read waits until the budget has room for the nodes of the files, and parses the files.
func (c *Cache) read(files unread, nodes int) {
	defer c.reading.take(nodes)()
	if c.isStopped() {
		return
	}
	found := map[digest]FileObjects{}
	var odd unread
	var objects [][]Object
	for i, key := range files.digests {
		file := c.parse(files.contents[i], key)
		found[key] = file
		if file.isOdd() {
			odd.add(files.contents[i], key)
			objects = append(objects, file.Objects)
		}
	}
	for i, result := range follow(odd.contents, objects) {
		file := found[odd.digests[i]]
		file.Late = result.late
		for position, outcome := range result.outcomes {
			file.Objects[position].Outcome = outcome
		}
		found[odd.digests[i]] = file
	}
	c.add(found)
}

// parse returns the objects of a file, and may keep its node for Contents.
func (c *Cache) parse(content []byte, key digest) (file FileObjects) {
	if object, node, ok := plainObject(content); ok {
		file.Objects = []Object{object}
		c.keep(key, content, node, file.Objects)
		return file
	}
	var node *yaml.Node
	file.Objects, node, file.Err = objectsAndNode(content)
	c.keep(key, content, node, file.Objects)
	return file
}

// keep keeps the node of a file with one plain object and without anchors.
func (c *Cache) keep(file digest, content []byte, node *yaml.Node, objects []Object) {
	if c.KeepNodes == 0 || node == nil || len(objects) != 1 || !objects[0].plain || hasAnchors(content) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.put(file, keptNode{node, yamlnodes.AtMost(content)}, c.KeepNodes)
}

// isOdd reports whether the file must be built to find out whether Flux can apply its objects.
func (f FileObjects) isOdd() bool {
	for _, object := range f.Objects {
		if !object.plain || Refers(object.ID) {
			return true
		}
	}
	return false
}

// Nested does the same as BuildNested, and caches the result. The result of a build that exceeded
// its limits is reused for boundsRounds rounds.
func (c *Cache) Nested(root, dir tree.Path, files []tree.File) (Nested, error) {
	var own []tree.File
	for _, file := range files {
		if file.Path.Within(dir) {
			own = append(own, file)
		}
	}
	alone, among := digestOf("nested", root, []tree.Path{dir}, own), digestOf("nested", root, []tree.Path{dir}, files)
	for _, key := range []digest{alone, among} {
		if build := c.knownBuild(key); build != nil {
			return build.nested, build.err
		}
	}
	nested, err := c.builder().Nested(root, dir, files)
	key := alone
	if (nested.Outside || err != nil) && !IsBounds(err) {
		key = among
	}
	c.addBuild(key, &cachedBuild{nested: nested, err: err})
	return nested, err
}

// Units does the same as BuildUnits, and caches the result.
func (c *Cache) Units(root tree.Path, units []tree.Path, files []tree.File) error {
	key := digestOf("units", root, units, files)
	if build := c.knownBuild(key); build != nil {
		return build.err
	}
	err := c.builder().Units(root, units, files)
	c.addBuild(key, &cachedBuild{err: err})
	return err
}

func digestOf(build string, root tree.Path, units []tree.Path, files []tree.File) digest {
	hash := sha256.New()
	add := func(text []byte) {
		hash.Write(binary.AppendUvarint(nil, uint64(len(text))))
		hash.Write(text)
	}
	add([]byte(build))
	add([]byte(root.String()))
	for _, unit := range units {
		add([]byte(unit.String()))
	}
	add(nil)
	for _, file := range files {
		add([]byte(file.Path.String()))
		add(file.Content)
	}
	return digest(hash.Sum(nil))
}

// Sweep drops the entries that have not been used since the last call of Sweep, and begins a round.
func (c *Cache) Sweep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, files := range []map[digest]*cachedFile{c.files, c.older} {
		maps.DeleteFunc(files, func(_ digest, file *cachedFile) bool { return file.round < c.round })
	}
	for key, build := range c.builds {
		if build.round < c.round {
			delete(c.builds, key)
		}
	}
	c.round++
	c.messages = nil
}

func (c *Cache) known(key digest) *cachedFile {
	c.mu.Lock()
	defer c.mu.Unlock()
	file := c.files[key]
	if file == nil {
		if file = c.older[key]; file != nil {
			c.put(key, file)
		}
	}
	if file != nil {
		file.round = c.round
	}
	return file
}

// put adds a file to c.files. If c.files is full, put first replaces c.older by it.
func (c *Cache) put(key digest, file *cachedFile) {
	if len(c.files) >= maxFiles {
		c.files, c.older = nil, c.files
	}
	if c.files == nil {
		c.files = map[digest]*cachedFile{}
	}
	c.files[key] = file
}

func (c *Cache) knownBuild(key digest) *cachedBuild {
	c.mu.Lock()
	defer c.mu.Unlock()
	build := c.builds[key]
	switch {
	case build == nil:
	case IsBounds(build.err) && c.round-build.made > boundsRounds:
		return nil // the build may succeed now
	default:
		build.round = c.round
	}
	return build
}

func (c *Cache) add(found map[digest]FileObjects) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.messages == nil {
		c.messages = map[string]string{}
	}
	for key, file := range found {
		for i := range file.Objects {
			id := &file.Objects[i].ID
			id.APIVersion, id.Kind, id.Namespace = c.one(id.APIVersion), c.one(id.Kind), c.one(id.Namespace)
		}
		c.put(key, &cachedFile{FileObjects: file, round: c.round})
	}
}

func (c *Cache) addBuild(key digest, build *cachedBuild) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.builds == nil {
		c.builds = map[digest]*cachedBuild{}
	}
	build.round, build.made = c.round, c.round
	c.builds[key] = build
}

func (c *Cache) one(word string) string {
	if known, there := c.messages[word]; there {
		return known
	}
	c.messages[word] = word
	return word
}
