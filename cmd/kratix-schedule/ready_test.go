package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

type exampleDir struct {
	dir string
	env []string
}

func newExampleDir(t *testing.T) exampleDir {
	t.Helper()
	w := exampleDir{dir: t.TempDir()}
	for _, needed := range []string{"hack", "testdata"} {
		if err := os.CopyFS(filepath.Join(w.dir, needed), os.DirFS("../../"+needed)); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(w.dir, "bin")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w.file(t, "bin/kratix-schedule", "#!/bin/sh\nKRATIX_SCHEDULE_AS_PROGRAM=1 exec "+self+" \"$@\"\n")
	w.file(t, "bin/kubectl", "#!/bin/sh\ncat testdata/elastic-cloud/work-cache.yaml; echo ---; cat testdata/elastic-cloud/destination.yaml; echo ---; cat testdata/elastic-cloud/state-store.yaml\n")
	if err := os.Mkdir(filepath.Join(w.dir, "secrets"), 0o750); err != nil {
		t.Fatal(err)
	}
	w.env = []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + w.dir, "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
	}
	return w
}

func (w exampleDir) file(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o700); err != nil { //nolint:gosec // some are programs
		t.Fatal(err)
	}
}

func (w exampleDir) read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func (w exampleDir) shell(t *testing.T, script string, env ...string) (output string, status int) {
	t.Helper()
	run := exec.CommandContext(t.Context(), "sh", "-c", script)
	run.Dir, run.Env = w.dir, append(append([]string{}, w.env...), env...)
	said, err := run.CombinedOutput()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return string(said), failed.ExitCode()
	}
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return string(said), 0
}

func TestExamplesRun(t *testing.T) {
	for _, command := range allCommands(root(streams{})) {
		if command.Example == "" && command.RunE != nil && !command.HasSubCommands() {
			t.Errorf("%s has no example", command.CommandPath())
		}
		for line := range strings.SplitSeq(command.Example, "\n") {
			line = strings.TrimSpace(line)
			if line == "" || isForACluster(line) {
				continue
			}
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				output, status := newExampleDir(t).shell(t, line)
				if status > exitFindings {
					t.Errorf("status %d: %s", status, output)
				}
			})
		}
	}
}

// isForACluster reports whether an example does not end or needs a cluster.
func isForACluster(line string) bool {
	isDaemon := strings.Contains(line, "kratix-schedule run ") && !strings.Contains(line, "--once")
	isPipelines := strings.Contains(line, "kratix-schedule status ") || strings.Contains(line, "kratix-schedule work ") && strings.Contains(line, "--apply")
	return isDaemon || isPipelines || strings.Contains(line, "kratix-schedule agent ") && strings.Contains(line, "--kube") || strings.Contains(line, "kratix-schedule handover") || strings.Contains(line, "kratix-schedule profile") ||
		strings.Contains(line, "kratix-schedule rollout ") && strings.Contains(line, "--context")
}

type gitHubAction struct {
	Inputs  map[string]struct{ Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, Shell, Run string
			Env            map[string]string
		}
	}
}

func readAction(t *testing.T, w exampleDir, with map[string]string) (action gitHubAction, script string, env []string) {
	t.Helper()
	decode(t, "../../action.yml", &action)
	step := action.Runs.Steps[0]
	env = []string{
		"GITHUB_ACTIONS=true", "GITHUB_ACTION_PATH=" + w.dir, "GITHUB_OUTPUT=" + w.dir + "/output", "GITHUB_STEP_SUMMARY=" + w.dir + "/summary",
		"RUNNER_TEMP=" + w.dir + "/temp",
	}
	for name, expression := range step.Env {
		input := strings.TrimSuffix(strings.TrimPrefix(expression, "${{ inputs."), " }}")
		if _, known := action.Inputs[input]; !known {
			t.Errorf("there is no input %s", input)
		}
		value, given := with[input]
		if !given {
			value = action.Inputs[input].Default
		}
		env = append(env, name+"="+value)
	}
	if len(step.Env) != len(action.Inputs) {
		t.Errorf("the step gets %d of %d inputs", len(step.Env), len(action.Inputs))
	}
	return action, step.Run, env
}

func TestTheGitHubActionsScript(t *testing.T) {
	w := newExampleDir(t)
	action, script, env := readAction(t, w, map[string]string{"paths": "testdata/elastic-cloud", "comment": "false"})
	output, status := w.shell(t, script, env...)
	if status != exitFindings || strings.Count(output, "\n::error file=testdata/elastic-cloud/") != 8 {
		t.Errorf("status %d: %s", status, output)
	}
	told := w.read(t, "output")
	for name, output := range action.Outputs {
		if !strings.Contains(told, name+"=") || !strings.Contains(output.Value, "steps."+action.Runs.Steps[0].ID+".outputs."+name) {
			t.Errorf("output %s: %q in %q", name, output.Value, told)
		}
	}
	if !strings.Contains(w.read(t, "summary"), "findings") || !strings.Contains(w.read(t, "kratix-schedule-reports/report.sarif"), "KS001") {
		t.Error("no summary or report")
	}
	if output, status := w.shell(t, script, append(env, "INPUT_ARGS=--ignore KS001")...); status != exitClean {
		t.Errorf("status %d: %s", status, output)
	}
	// A check that cannot run outputs no report.
	w.file(t, "output", "")
	output, status = w.shell(t, script, append(env, "INPUT_ARGS=--ignore KS999")...)
	if told := w.read(t, "output"); status != exitUsage || told != "status=2\n" {
		t.Errorf("status %d, outputs %q: %s", status, told, output)
	}
}

type gitLabJob struct {
	Image        string
	Variables    map[string]string
	Rules        []struct{ If, When string }
	Script       []string
	BeforeScript []string `json:"before_script"`
	Artifacts    struct {
		Paths   []string
		Reports struct{ JUnit string }
	}
}

func readTemplate(t *testing.T) (job gitLabJob, script string, env []string) {
	t.Helper()
	var template map[string]gitLabJob
	decode(t, "../../templates/gitlab-ci.yml", &template)
	job = template["kratix-schedule"]
	for name, value := range job.Variables {
		env = append(env, name+"="+value)
	}
	return job, "set -eu\n" + strings.Join(append(job.BeforeScript, job.Script...), "\n"), env
}

func TestTheGitLabTemplatesScript(t *testing.T) {
	job, script, env := readTemplate(t)
	w := newExampleDir(t)
	env = append(env, "KRATIX_SCHEDULE_PATHS=testdata/elastic-cloud")
	output, status := w.shell(t, script, env...)
	if status != exitFindings {
		t.Errorf("status %d: %s", status, output)
	}
	for _, file := range append(job.Artifacts.Paths, job.Artifacts.Reports.JUnit) {
		if !strings.Contains(w.read(t, file), "KS001") {
			t.Errorf("%s does not tell", file)
		}
	}
	output, status = w.shell(t, script, append(env, "KRATIX_SCHEDULE_FAIL_ON=none")...)
	if status != exitClean {
		t.Errorf("status %d: %s", status, output)
	}
}

func TestThePreCommitHook(t *testing.T) {
	var hooks []struct {
		ID, Entry, Language string
		PassFilenames       *bool `json:"pass_filenames"`
	}
	decode(t, "../../.pre-commit-hooks.yaml", &hooks)
	w := newExampleDir(t)
	w.file(t, ".kratix-schedule.yaml", "filename: testdata/elastic-cloud\n")
	if output, status := w.shell(t, hooks[0].Entry); status != exitFindings || hooks[0].Language != "golang" || *hooks[0].PassFilenames {
		t.Errorf("status %d: %s", status, output)
	}
}

// TestAsAPluginOfKratix finds the plugin on the PATH as kubectl does.
func TestAsAPluginOfKratix(t *testing.T) {
	w := newExampleDir(t)
	t.Setenv("PATH", filepath.Join(w.dir, "bin")+":"+os.Getenv("PATH"))
	for line, want := range map[string]struct {
		status int
		says   string
	}{
		"schedule validate testdata/elastic-cloud --ignore KS001 --strict": {exitClean, "8 ignored"},
		"schedule validate --max-findings 1 testdata/elastic-cloud":        {exitFindings, "8 not shown"},
		"schedule validate --onec":                                         {exitUsage, "See 'kratix-schedule validate --help'."},
		"schedule config verify":                                           {exitClean, "the defaults apply"},
		"schedule --help":                                                  {exitClean, "validate    Check Works"},
		"schedule":                                                         {exitClean, "Usage:"},
	} {
		words := strings.Fields(line)
		verbs := words
		if flag := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, "-") }); flag >= 0 {
			verbs = words[:flag]
		}
		plugin := ""
		n := len(verbs)
		for ; n > 0 && plugin == ""; n-- {
			name := strings.ReplaceAll(strings.Join(verbs[:n], "\x00"), "-", "_")
			plugin, _ = exec.LookPath("kratix-" + strings.ReplaceAll(name, "\x00", "-"))
		}
		output, status := w.shell(t, strings.Join(append([]string{plugin}, words[n+1:]...), " "))
		if status != want.status || !strings.Contains(output, want.says) {
			t.Errorf("kratix %s: status %d: %s", line, status, output)
		}
	}
}

func TestTheSchemaKnowsTheConfiguration(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile(docs + "reference/kratix-schedule.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for text, valid := range map[string]bool{
		"{}": true, "filename: [a, b]\nstrict: true\nfail-on: warning\nmax-findings: 3\noutput: sarif=x.sarif": true,
		"failOn: warning": false, "strict: often": false, "fail-on: often": false, "max-findings: many": false,
		"output: [xml]": false, "output: [json, junit=x.xml]": true, "filename: {a: b}": false,
	} {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); (err == nil) != valid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}
