package flux

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

var (
	trees  = flag.Uint64("trees", 20_000, "how many random trees to judge")
	first  = flag.Uint64("first", 0, "the seed of the first")
	secure = flag.Uint64("secure", 100, "judge every so manieth tree by SecureBuild itself; 1 is all")
)

// TestJudgeSaysWhatFluxSays holds kustomize.Judge against Flux's own library on
// random trees: whether it builds, and the very words when it does not.
func TestJudgeSaysWhatFluxSays(t *testing.T) {
	disk := Disk{t.TempDir()}
	var told counts
	wrong := 0
	for seed := *first; seed < *first+*trees; seed++ {
		files := Tree(seed)
		ours := judge(files)
		theirs := flux(t, disk, files, seed%*secure == 0)
		told.add(theirs)
		if same(ours, theirs) {
			continue
		}
		if theirs = flux(t, disk, files, true); same(ours, theirs) {
			continue
		}
		t.Errorf("seed %d\n%s\nFlux says: %q\nwe say:    %q", seed, dump(files), theirs, ours)
		if wrong++; wrong == 10 {
			t.Fatal("enough")
		}
	}
	t.Log(told.String())
	told.check(t)
}

// root is the directory in the store that a tree lies in.
const root = "root"

func path(s string) tree.Path {
	p, err := tree.ParseDir(s)
	if err != nil {
		panic(err)
	}
	return p
}

// below puts files into the root.
func below(files []tree.File) []tree.File {
	dir := path(root)
	var moved []tree.File
	for _, file := range files {
		moved = append(moved, tree.File{Path: dir.Join(file.Path), Content: file.Content})
	}
	return moved
}

// judge gives our verdict on a tree, in words; nothing when it builds.
func judge(files []tree.File) string {
	stored := below(files)
	ignored := kustomize.Ignore(stored)
	var fetched []tree.File
	for i, file := range files {
		if !ignored(stored[i].Path) {
			fetched = append(fetched, file)
		}
	}
	verdict := kustomize.Judge(path(root), fetched)
	if verdict.Err == nil {
		return ""
	}
	return strings.Join(strings.Fields(verdict.Err.Error()), " ")
}

// flux gives Flux's verdict on a tree.
func flux(t *testing.T, disk Disk, files []tree.File, secure bool) string {
	t.Helper()
	if err := disk.Lay(below(files)); err != nil {
		t.Fatal(err)
	}
	if err := disk.Fetch(); err != nil {
		t.Fatal(err)
	}
	judge := disk.JudgeQuickly
	if secure {
		judge = disk.Judge
	}
	_, err := judge(root)
	return disk.Words(err)
}

// address is where kustomize lets its own memory into a message.
var address = regexp.MustCompile(`0x[0-9a-f]+`)

func same(ours, theirs string) bool {
	return address.ReplaceAllString(ours, "") == address.ReplaceAllString(theirs, "")
}

func dump(files []tree.File) string {
	var text strings.Builder
	for _, file := range files {
		text.WriteString("== " + file.Path.String() + "\n" + string(file.Content) + "\n")
	}
	return text.String()
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}
