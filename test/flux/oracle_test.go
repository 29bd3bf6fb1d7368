package flux

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

var (
	trees     = flag.Uint64("trees", 20_000, "how many random trees to judge")
	first     = flag.Uint64("first", 0, "the seed of the first")
	secure    = flag.Uint64("secure", 100, "have SecureBuild itself judge every so manieth tree that it could not judge otherwise; 1 is all")
	processes = flag.Uint64("processes", uint64(runtime.GOMAXPROCS(0)), "how many processes to judge in: Flux builds one tree at a time in each")
)

// TestCheckAgreesWithFlux compares dedupe.Check with Flux's own library on random trees.
func TestCheckAgreesWithFlux(t *testing.T) {
	if *processes > 1 {
		divideTrees(t)
		return
	}
	o := &oracle{t: t, disk: Disk{t.TempDir()}}
	for seed := *first; seed < *first+*trees; seed++ {
		o.judge(seed)
		if o.wrong == 10 {
			t.Fatal("enough")
		}
	}
	t.Log(o.counts.String())
	o.counts.check(t)
}

func divideTrees(t *testing.T) {
	t.Helper()
	var running sync.WaitGroup
	each := (*trees + *processes - 1) / *processes
	for n := range *processes {
		running.Go(func() {
			part := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-processes=1", fmt.Sprint("-secure=", *secure), //nolint:gosec // runs this same test
				fmt.Sprint("-trees=", min(each, *trees-min(*trees, n*each))), fmt.Sprint("-first=", *first+n*each))
			out, err := part.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
				return
			}
			t.Logf("%s", out)
		})
	}
	running.Wait()
}

type oracle struct {
	t       *testing.T
	disk    Disk
	counts  counts
	wrong   int
	applied Applied
}

// onlyWeFind are the rules for faults with which kustomize can build a tree.
var onlyWeFind = []finding.Rule{finding.OtherVersion(), finding.OtherNamespace(), finding.OtherRoot()}

func (o *oracle) judge(seed uint64) { o.judgeFiles(seed, Tree(seed)) }

func (o *oracle) judgeFiles(seed uint64, files []tree.File) {
	dealt := divideFiles(seed, files)
	verdict := dedupe.Check(dealt)
	complain := func(what string, theirs string) {
		o.wrong++
		o.t.Errorf("seed %d: %s\n%s\nFlux says: %q\nwe say:", seed, what, dump(files), theirs)
		for _, f := range verdict.Findings {
			o.t.Errorf("  %s %v %v: %s %q", f.Rule.ID, f.Place, f.Related, f.Message, f.Flux)
		}
		for i, why := range verdict.Quarantined {
			o.t.Errorf("  held: %s: %s", dealt.Claims[i].Object, why)
		}
	}
	for _, f := range dedupe.CheckCluster([]dedupe.Verdict{verdict, dedupe.Check(divideFiles(seed+1, Tree(seed+1), "other"))}) {
		o.counts.only++
		if !slices.ContainsFunc(onlyWeFind, func(r finding.Rule) bool { return r == f.Rule }) {
			complain("the cluster has "+f.Rule.ID, "")
		}
	}
	rest := o.withoutHiding(&files, verdict.Findings)
	rest, left, stripped := notes(rest)
	theirs := o.flux(files, o.bySecureBuild(seed, files))
	what := disagreement(theirs, rest)
	if what == "" && theirs == "" {
		o.counts.left += len(left) + len(stripped)
		if !slices.Equal(left, o.applied.Left) || !slices.Equal(stripped, o.applied.Stripped) {
			complain(fmt.Sprintf("Flux leaves out %q and parts of %q, we say %q and %q", o.applied.Left, o.applied.Stripped, left, stripped), theirs)
			return
		}
	}
	if what != "" { // some messages of kustomize depend on the random order of a map
		theirs = o.flux(files, true)
		what = disagreement(theirs, rest)
	}
	o.counts.add(theirs)
	if what != "" {
		complain(what, theirs)
		return
	}
	if len(verdict.Quarantined) == 0 {
		return
	}
	alone, written := o.carriedOut(dealt, verdict, files)
	if o.flux(alone, false) == "" {
		o.counts.quarantined++
		if left := o.flux(written, false); left != "" {
			complain("what is written does not build", left)
		}
	}
}

// withoutHiding removes kustomizations that hide files of others, and the findings about them.
// Check ignores such a kustomization, unlike Flux.
func (o *oracle) withoutHiding(files *[]tree.File, findings []finding.Finding) (rest []finding.Finding) {
	for _, f := range findings {
		if f.Rule != finding.HidingKustomization() {
			rest = append(rest, f)
			continue
		}
		o.counts.hiding++
		at := slices.IndexFunc(*files, func(file tree.File) bool { return file.Path.String() == f.Place.File })
		if at < 0 || !kustomize.IsKustomization((*files)[at].Path) {
			o.t.Fatalf("%v hides nothing", f.Place)
		}
		*files = slices.Delete(slices.Clone(*files), at, at+1)
	}
	return rest
}

func disagreement(theirs string, findings []finding.Finding) string {
	if theirs == "" {
		if len(findings) > 0 {
			return "Flux builds it"
		}
		return ""
	}
	if len(findings) == 0 {
		return "nothing is found"
	}
	var quoted []finding.Finding
	for _, f := range findings {
		if same(f.Flux, theirs) {
			quoted = append(quoted, f)
		}
	}
	if len(quoted) == 0 {
		return "nothing has Flux's words"
	}
	if !slices.ContainsFunc(quoted, func(f finding.Finding) bool { return namesFile(f, theirs) }) {
		return "another file is named"
	}
	if !slices.ContainsFunc(quoted, func(f finding.Finding) bool { return namesObject(f, theirs) }) {
		return "another object is named"
	}
	return ""
}

var (
	namedFile   = regexp.MustCompile(`^(?:kustomize build failed: .*? from '\./(.*?)'|failed to decode Kubernetes YAML from /root/(.*?\.ya?ml):)`)
	namedObject = regexp.MustCompile(`already registered id: ([^.]+)\.[^/]*/([^']*)'`)
)

func namesFile(f finding.Finding, theirs string) bool {
	named := namedFile.FindStringSubmatch(theirs)
	if named == nil {
		return true
	}
	ours := []string{f.Place.File}
	for _, related := range f.Related {
		ours = append(ours, related.Place.File)
	}
	return slices.ContainsFunc(ours, func(file string) bool {
		return file == named[1]+named[2] || testkit.Path(file).Dir() == testkit.Path(named[1]+named[2])
	})
}

func namesObject(f finding.Finding, theirs string) bool {
	named := namedObject.FindStringSubmatch(theirs)
	if named == nil || f.Rule != finding.DuplicateObject() {
		return named == nil || strings.Contains(theirs, "recursed")
	}
	kind, dotted := named[1], named[2]
	for at := range len(dotted) { // the name may contain dots
		if dotted[at] != '.' {
			continue
		}
		name, namespace := strings.Replace(dotted[:at], "[noName]", "", 1), strings.Replace(dotted[at+1:], "[noNs]", "default", 1)
		if strings.HasPrefix(f.Message, kind+" "+name+" is ") || strings.HasPrefix(f.Message, kind+" "+namespace+"/"+name+" is ") {
			return true
		}
	}
	return false
}

func divideFiles(seed uint64, files []tree.File, name ...string) dedupe.Root {
	dir := testkit.Path(strings.Join(append(name, root)[:1], ""))
	stored := below(files)
	root := dedupe.Root{Path: dir, Ignored: kustomize.Ignore(stored)}
	claims := map[string]*dedupe.Claim{}
	for i, file := range files {
		whose := ""
		top, rest := file.Path.Cut()
		switch seed % 4 * btoi(!kustomize.IsIgnoreFile(file.Path)) { // ignore files belong to no placement
		case 1, 3:
			if !rest.IsRoot() && (seed%4 == 1 || top > "a") {
				whose = top
			}
		case 2:
			whose = fmt.Sprint("w", (seed/4+uint64(i)*7)%3)
		}
		at := dedupe.File{File: tree.File{Path: dir.Join(file.Path), Content: file.Content}, Place: finding.Place{Object: whose, File: file.Path.String()}}
		if whose == "" {
			root.Foreign = append(root.Foreign, at)
			continue
		}
		if claims[whose] == nil {
			claims[whose] = &dedupe.Claim{Object: whose, Owner: whose, Rank: dedupe.Rank{Name: fmt.Sprint((seed/8)%2*uint64(len(whose)), whose)}}
			if seed%4 != 2 {
				claims[whose].Dir = dir.Join(testkit.Path(whose))
			}
		}
		claims[whose].Wanted = append(claims[whose].Wanted, at)
	}
	for _, claim := range claims {
		root.Claims = append(root.Claims, *claim)
	}
	slices.SortFunc(root.Claims, func(a, b dedupe.Claim) int { return strings.Compare(a.Object, b.Object) })
	return root
}

func btoi(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func (o *oracle) carriedOut(dealt dedupe.Root, verdict dedupe.Verdict, files []tree.File) (alone, written []tree.File) {
	held := map[string]bool{}
	for i := range verdict.Quarantined {
		held[dealt.Claims[i].Object] = true
	}
	whose := map[string]string{}
	for _, claim := range dealt.Claims {
		for _, file := range claim.Wanted {
			whose[file.Place.File] = claim.Object
		}
	}
	for _, file := range files {
		owner := whose[file.Path.String()]
		if owner == "" {
			alone = append(alone, file)
		}
		if !held[owner] {
			written = append(written, file)
		}
	}
	return alone, written
}

const root = "root"

func below(files []tree.File) []tree.File {
	dir := testkit.Path(root)
	var moved []tree.File
	for _, file := range files {
		moved = append(moved, tree.File{Path: dir.Join(file.Path), Content: file.Content})
	}
	return moved
}

// bySecureBuild reports whether a tree is built with SecureBuild and not with the faster
// JudgeQuickly.
func (o *oracle) bySecureBuild(seed uint64, files []tree.File) bool {
	return seed%*secure == 0 || slices.ContainsFunc(files, func(f tree.File) bool { return bytes.Contains(f.Content, []byte("openapi")) })
}

func (o *oracle) flux(files []tree.File, secure bool) string {
	o.t.Helper()
	if err := o.disk.WriteFiles(below(files)); err != nil {
		o.t.Fatal(err)
	}
	if err := o.disk.Fetch(); err != nil {
		o.t.Fatal(err)
	}
	judge := o.disk.JudgeQuickly
	if secure {
		judge = o.disk.Judge
	}
	o.applied = Applied{}
	built, err := judge(root)
	if err == nil {
		o.applied, err = Reconcile(built)
	}
	return o.disk.Message(err)
}

func notes(findings []finding.Finding) (rest []finding.Finding, left, stripped []string) {
	for _, f := range findings {
		name, isLeft := strings.CutPrefix(f.Message, "Flux would not apply ")
		name, why, _ := strings.Cut(name, ": ")
		switch {
		case f.Rule != finding.NotApplied():
			rest = append(rest, f)
		case isLeft && !strings.HasPrefix(why, "it reads .yaml"):
			left = append(left, name)
		case !isLeft && f.Place.File != "":
			stripped = append(stripped, name)
		}
	}
	slices.Sort(left)
	slices.Sort(stripped)
	return rest, left, stripped
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
