package main

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

const callsVariable = "RECORD_CALLS"

type call struct {
	Args   []string
	Status int
	Said   string
}

func mainWithRecording() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	said := &tee{}
	code := execute(ctx, os.Args[1:], streams{in: os.Stdin, out: both{os.Stdout, said}, err: both{os.Stderr, said}})
	if dir := os.Getenv(callsVariable); dir != "" {
		text, err := json.Marshal(call{Args: os.Args[1:], Status: code, Said: said.String()})
		file, cannot := os.CreateTemp(dir, "call-*.json")
		if err != nil || cannot != nil {
			panic(fmt.Sprint(err, cannot))
		}
		if _, err := file.Write(text); err != nil {
			panic(err)
		}
	}
	os.Exit(code)
}

type both struct {
	file *os.File
	tee  *tee
}

func (b both) Write(p []byte) (int, error) {
	n, err := b.file.Write(p)
	_, _ = b.tee.Write(p[:n])
	return n, err
}

func readCalls(t *testing.T, dir string) []call {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "call-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var calls []call
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c call
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, c)
	}
	return calls
}

// checkCoverage fails the test for rules, commands, flags, formats, exit codes and error messages
// that no script covers.
func checkCoverage(t *testing.T, calls []call) {
	t.Helper()
	said := &strings.Builder{}
	seen := map[string]bool{}
	for _, c := range calls {
		said.WriteString(c.Said)
		command, rest, err := root(streams{}).Find(c.Args)
		if err != nil {
			continue
		}
		name := command.CommandPath()
		seen[name] = true
		seen[fmt.Sprint(name, " ends with ", c.Status)] = true
		if c.Status == exitUsage || command.ParseFlags(rest) != nil {
			continue
		}
		for _, argument := range command.Flags().Args() {
			seen[name+" "+argument] = true
		}
		command.Flags().Visit(func(f *pflag.Flag) { recordFlag(seen, name, f, c.Status) })
	}
	for _, wanted := range wantedOfCommands() {
		if !seen[wanted] {
			t.Errorf("no script has: %s", wanted)
		}
	}
	for _, rule := range finding.Rules() {
		switch rule {
		case finding.OrphanedPlacement(): // needs a cluster with other writers: TestWorkPlacementWithoutWorkIsReported
			continue
		case finding.PlacementsDisagree(): // needs a cluster with WorkPlacements
			continue
		case finding.RestlessWork(): // needs many rounds of a daemon: TestEachChangeOfARestlessWorkIsOneWrite
			continue
		case finding.WriteRefused(): // needs a cluster that refuses objects: TestRefusedWriteTriggersNoRounds
			continue
		case finding.PolicyNotInForce(): // needs a cluster with policies: TestPolicyThatIsRemovedIsNoticed
			continue
		case finding.PolicyUnchecked(): // needs a cluster with policies: TestPolicyVerdictIsReported
			continue
		case finding.PolicyDeniesSelf(): // needs a cluster with policies: TestPolicyThatDeniesThisProgramIsNoticed
			continue
		case finding.OtherScheduler(): // needs a cluster with another scheduler: TestManageStopsWhereKratixPlaces
			continue
		case finding.NotPromoted(), finding.InvalidLiveStore(), finding.UnusablePlacement(): // needs a cluster with WorkPlacements to promote: internal/promoted, TestUnpromotedWorkPlacementsReportWhy
			continue
		case finding.OverBudget(): // needs thousands of files: TestWideDirectoryIsReportedBeforeItIsWritten
			continue
		case finding.StoreWithoutShard(): // needs a cluster with shards: TestStoreThatNoShardWritesToIsReported
			continue
		case finding.KindNotServed(), finding.RemovedAPI(), finding.DeprecatedAPI(), finding.NamespaceMissing(), finding.DroppedField(),
			finding.ImmutableField(), finding.DefinitionRemoved(), finding.ApplyOrder(): // most of these need a profile: applycheck and test/apply
			continue
		case finding.RolledBack(), finding.NotRolledBack(): // needs a daemon that receives events: TestPlacementIsRolledBack, and package reconcile
			continue
		case finding.ControllersFight(): // needs a daemon that repeats writes: TestOneOfTwoFightingControllersStops
			continue
		}
		if !strings.Contains(said.String(), fmt.Sprintf("%s %s %s: ", rule.Severity, rule.ID, rule.Name)) {
			t.Errorf("no script finds %s %s", rule.ID, rule.Name)
		}
	}
	for _, text := range errorTexts(t, ".", "../../source", "../../source/dir", "../../source/pipeline", "../../internal/policy", "../../statestore/open", "../../internal/daemon", "../../internal/lease") {
		switch told := text.isIn(said.String()); {
		case told && isUnreachable(text.text):
			t.Errorf("%s: a script is told %q after all", text.at, text.text)
		case !told && !isUnreachable(text.text):
			t.Errorf("%s: no script is told %q", text.at, text.text)
		}
	}
}

func recordFlag(seen map[string]bool, command string, f *pflag.Flag, status int) {
	seen[command+" --"+f.Name] = true
	values := []string{f.Value.String()}
	switch list := f.Value.(type) {
	case pflag.SliceValue:
		values = list.GetSlice()
	case *formatFlag:
		values = strings.Split(list.String(), ",")
	}
	for _, value := range values {
		value, _, _ = strings.Cut(value, "=")
		seen[command+" --"+f.Name+" "+value] = true
		seen[fmt.Sprint(command, " --", f.Name, " ", value, " ends with ", status)] = true
	}
}

func values() map[string][]string {
	return map[string][]string{
		"fail-on": {"error", "warning", "none"}, "on-conflict": {"quarantine", "share", "report"}, "check-apply": {"quarantine", "warn", "off"}, "on-misplaced": {"keep", "move"},
		"log-level": {"debug", "info", "warn", "error"}, "log-format": {"json", "console"},
		"condition": {"PipelineCompleted", "ConfigureWorkflowCompleted", "none"},
	}
}

func statuses(command string) []int {
	switch strings.TrimPrefix(command, "kratix-schedule ") {
	case "get", "history", "rollout status", "rollout pause":
		return []int{exitClean, exitUsage, exitFailure}
	case "validate", "plan", "run", "rebalance":
		return []int{exitClean, exitFindings, exitUsage, exitFailure}
	case "explain":
		return []int{exitClean, exitUsage, exitFailure}
	case "probe":
		return []int{exitClean, exitFindings, exitUsage, exitFailure}
	case "work", "profile", "comment":
		return []int{exitClean, exitUsage, exitFailure}
	case "status", "handover":
		return []int{exitUsage, exitFailure} // a success needs a cluster, so test/kube covers it
	}
	return []int{exitClean, exitUsage}
}

func wantedOfCommands() []string {
	var wanted []string
	for _, command := range append(allCommands(root(streams{})), root(streams{})) {
		name := command.CommandPath()
		wanted = append(wanted, name)
		for _, status := range statuses(name) {
			wanted = append(wanted, fmt.Sprint(name, " ends with ", status))
		}
		for _, argument := range command.ValidArgs {
			wanted = append(wanted, name+" "+argument)
		}
		command.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { wanted = append(wanted, wantedOfFlag(command, f)...) })
	}
	return wanted
}

func wantedOfFlag(command *cobra.Command, f *pflag.Flag) []string {
	name := command.CommandPath() + " --" + f.Name
	wanted := []string{name}
	for _, value := range values()[f.Name] {
		wanted = append(wanted, name+" "+value)
	}
	if own, ok := f.Value.(*formatFlag); ok {
		for _, format := range own.names {
			wanted = append(wanted, name+" "+format)
		}
		return wanted
	}
	if f.Name != "output" || f.Value.Type() != "stringArray" {
		return wanted
	}
	for _, format := range report.FormatNames() {
		for _, status := range []int{exitClean, exitFindings, exitFailure} {
			wanted = append(wanted, fmt.Sprint(name, " ", format, " ends with ", status))
		}
	}
	return wanted
}

type errorText struct {
	at, text string
	// parts are the literal parts of the format string.
	parts []string
}

func (e errorText) isIn(said string) bool {
	return !slices.ContainsFunc(e.parts, func(part string) bool { return !strings.Contains(said, part) })
}

var verb = regexp.MustCompile(`%[-+# 0-9.*]*[a-zA-Z]`)

func errorTexts(t *testing.T, dirs ...string) []errorText {
	t.Helper()
	var texts []errorText
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, files, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			parsed, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(node ast.Node) bool {
				var text string
				switch node := node.(type) {
				case *ast.CallExpr:
					if !makesError(node.Fun) {
						return true
					}
					text = literals(node)
				case *ast.CompositeLit:
					if name, ok := node.Type.(*ast.Ident); !ok || name.Name != "exit" {
						return true
					}
					text = literals(node)
				default:
					return true
				}
				e := errorText{at: set.Position(node.Pos()).String(), text: text}
				for _, part := range verb.Split(text, -1) {
					if part = strings.Trim(part, " :\"\x00"); len(part) > 3 {
						e.parts = append(e.parts, part)
					}
				}
				if len(e.parts) > 0 {
					texts = append(texts, e)
				}
				return false
			})
		}
	}
	if len(texts) < 50 {
		t.Errorf("only %d texts of errors were found", len(texts))
	}
	return texts
}

func makesError(called ast.Expr) bool {
	switch called := called.(type) {
	case *ast.Ident:
		return called.Name == "usage" || called.Name == "Misconfigured"
	case *ast.SelectorExpr:
		from, ok := called.X.(*ast.Ident)
		if called.Sel.Name == "lacks" || called.Sel.Name == "Misconfigured" {
			return true
		}
		return ok && (from.Name+"."+called.Sel.Name == "errors.New" || from.Name+"."+called.Sel.Name == "fmt.Errorf")
	}
	return false
}

func literals(node ast.Node) string {
	var parts []string
	ast.Inspect(node, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, _ := strconv.Unquote(literal.Value) // cannot fail: the parser has accepted the literal
			parts = append(parts, text)
		}
		return true
	})
	return strings.Join(parts, "%s")
}

// isUnreachable reports whether no script can produce a text.
func isUnreachable(text string) bool {
	switch text {
	case "%sit is not in the input%sAdd the object, or correct the reference.": // a round reports the missing object before it opens the store
	case "a store of this kind cannot be probed": // every kind of store can be probed
	case "it has more directories than may be watched: raise fs.inotify.max_user_watches": // a script cannot lower the system's limit
	case "permission denied", "%w; let the user that runs this read the file": // root can read everything; TestGeneratedInputs runs as another user
	case "it may have %d values in %d bytes, more than is read: a document of more than %d values must have %d bytes for each; split it": // no script has megabytes of input: TestBombsTakeLittleMemory
	case "%d tries in a row failed; the last one: %w": // the command takes minutes: TestWatchEndsAfterManyFailures
	case "several revisions begin with %s: write more of it": // revisions are digests: TestRevisionIsNamedByItsBeginning
	case "interrupted": // scripts do not interrupt commands: TestInterruptEndsACheckAndItsBuilds
	case "the process is about to end; the next one writes it": // needs a daemon that is stopped: internal/daemon/stopping_test.go
	case "other readers are reading stores; load the page again", "the store has not been read yet", "the Destination has no state store", "the store does not answer in time; load the page again",
		"the store has no record of it", "the store does not list earlier revisions", "the store does not have that revision any more": // needs the page: internal/daemon/page_test.go
	case "it is a dry run": // unreachable without a bug
	case "watch the input: %w": // inotify does not fail on demand
	case "the Kubernetes API server refuses %d writes": // needs an API server
	case "the lease was lost to another replica, or could not be renewed": // needs a cluster with Leases
	case "%s the Lease %s: %w", "list the Leases in the namespace %s: %w": // needs a cluster with Leases
	default:
		return false
	}
	return true
}

func TestScriptsCheckFailures(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	looks := regexp.MustCompile(`^(cmp |! )?(stdout|stderr)\b`)
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		lines, _, _ := strings.Cut(string(text), "\n-- ")
		failing := ""
		for line := range strings.SplitSeq(lines, "\n") {
			switch {
			case looks.MatchString(line):
				failing = ""
			case strings.HasPrefix(line, "exits ") || strings.HasPrefix(line, "exec "):
				if failing != "" {
					t.Errorf("%s does not look at what is said by: %s", script, failing)
				}
				failing = ""
				if strings.HasPrefix(line, "exits 2 ") || strings.HasPrefix(line, "exits 3 ") {
					failing = line
				}
			}
		}
		if failing != "" {
			t.Errorf("%s does not look at what is said by: %s", script, failing)
		}
	}
}
