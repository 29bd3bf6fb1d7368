package main

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

type block struct {
	file string
	line int
	// language and status are from the info string, such as "sh exit=1".
	language string
	status   string
	text     string
}

func (b block) key() string {
	first, _, _ := strings.Cut(b.text, "\n")
	return b.file + ": " + first
}

func (b block) commands() string {
	if b.language != "console" {
		return b.text
	}
	var typed strings.Builder
	for line := range strings.Lines(b.text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			typed.WriteString(command)
		}
	}
	return typed.String()
}

type elsewhere struct {
	why string
	// instead are commands to run in place of the block.
	instead string
}

func notRun() map[string]elsewhere {
	const (
		cluster = "it needs a cluster"
		bench   = "it measures for minutes, in a checkout"
		example = "it is an example of --help: TestExamplesRun runs it in a checkout"
		image   = "it needs a builder of images, and a checkout"
		network = "it downloads a release"
		inside  = "it runs inside a pipeline's container, in a cluster"
	)
	listed := map[string]elsewhere{
		"README.md: make demo   # place and write two requests that conflict":                 {why: "it builds and tests a checkout"},
		"README.md: # One request for an Elastic Cloud: it is placed and written.":            {why: "TestGeneratedDemo runs it"},
		"docs/ci.md: # What the pipeline left behind for two requests. The exit status is 1.": {why: "TestGeneratedCI runs it"},
		"docs/tutorial.md: make build":                                                                                              {why: "it builds a checkout", instead: `cp -r "$CHECKOUT/testdata/elastic-cloud" .`},
		"docs/tutorial-apply.md: make build":                                                                                        {why: "it builds a checkout"},
		"docs/how-to/git-hosts.md: kratix-schedule probe -f stores/":                                                                {why: "it needs a git host: testdata/script/git-hosts.txtar"},
		"docs/how-to/write-to-a-bucket.md: kratix-schedule probe -f stores/":                                                        {why: "it needs a bucket: testdata/bucket/probe.txtar"},
		"docs/how-to/write-to-a-registry.md: kratix-schedule probe -f stores/":                                                      {why: "it needs a registry: testdata/oci/tutorial.txtar"},
		"docs/how-to/write-to-a-registry.md: kratix-schedule cleanup worker-1 -f platform/           # prints what it would remove": {why: "it needs a registry: testdata/oci/leave.txtar"},
		"docs/tutorial-rollout.md: make build":                                                                                      {why: "it builds a checkout", instead: `cp -r "$CHECKOUT/testdata" .`},
	}
	for why, keys := range map[string][]string{
		network: {
			"docs/how-to/install.md: version=0.1.0 file=kratix-schedule_0.1.0_linux_amd64.tar.gz",
			"docs/how-to/install.md: cosign verify ghcr.io/kratix-schedule/kratix-schedule:v0.1.0 \\",
			"docs/how-to/build-the-image.md: docker buildx imagetools inspect golang:1.26.8-bookworm --format '{{.Manifest.Digest}}'",
		},
		cluster: {
			"docs/how-to/write-to-a-registry.md: kubectl apply -k deploy/crds/own",
			"docs/how-to/write-to-a-registry.md: cosign generate-key-pair",
			"docs/how-to/install.md: helm install kratix-schedule oci://ghcr.io/kratix-schedule/charts/kratix-schedule --version 0.1.0 \\",
			"docs/how-to/upgrade.md:    helm upgrade kratix-schedule oci://ghcr.io/kratix-schedule/charts/kratix-schedule --version 0.2.0 --namespace kratix-schedule --values values.yaml",
			"docs/how-to/install.md: helm install kratix-schedule deploy/charts/kratix-schedule --namespace kratix-schedule --create-namespace \\",
			"docs/how-to/install.md: kubectl --namespace kratix-schedule rollout status deployment/kratix-schedule",
			"docs/how-to/install.md: kubectl --namespace kratix-schedule port-forward deployment/kratix-schedule 8080 &",
			"docs/how-to/install.md: kubectl get deployments --all-namespaces -o custom-columns='NAMESPACE:.metadata.namespace,NAME:.metadata.name,SERVICEACCOUNT:.spec.template.spec.serviceAccountName' | grep kratix",
			"docs/how-to/install.md: $ kubectl get works",
			"docs/how-to/look-at-the-page.md: kubectl --namespace kratix-schedule port-forward deployment/kratix-schedule 8081",
			"docs/how-to/look-at-the-page.md: kubectl --namespace kratix-schedule get lease kratix-schedule -o jsonpath='{.spec.holderIdentity}'",
			"docs/how-to/move-from-kratix.md: kubectl get works,destinations,gitstatestores -A -o yaml > platform.yaml",
			"README.md: kubectl apply -k deploy/schedule",
			"docs/how-to/run-beside-kratix.md: kubectl apply -k deploy/schedule",
			"docs/how-to/run-beside-kratix.md: kubectl --namespace kratix-schedule rollout status deployment/kratix-schedule",
			"docs/how-to/run-beside-kratix.md: helm upgrade --install kratix-schedule deploy/charts/kratix-schedule --namespace kratix-schedule --create-namespace \\",
			"docs/how-to/run-beside-kratix.md: kubectl apply -f testdata/elastic-cloud/work-example.yaml",
			"docs/how-to/run-beside-kratix.md:    git switch --orphan live && git commit --allow-empty -m 'What clusters read' && git push origin live",
			"docs/how-to/run-beside-kratix.md:    kubectl apply -k deploy/promote",
			"docs/how-to/run-beside-kratix.md:    git fetch origin && git diff --stat origin/main origin/live -- . ':(exclude,glob)**/.kratix/**'",
			"docs/how-to/run-beside-kratix.md:    kubectl --namespace flux-system patch gitrepository kratix --type=merge -p '{\"spec\":{\"ref\":{\"branch\":\"live\"}}}'",
			"docs/how-to/run-beside-kratix.md: kubectl wait --for=condition=Promoted workplacements --selector kratix.io/work=NAME --timeout=5m",
			"docs/how-to/run-beside-kratix.md: kubectl apply -k deploy/observe",
			"docs/how-to/run-beside-kratix.md: helm install kratix-schedule deploy/charts/kratix-schedule --namespace kratix-schedule --create-namespace \\",
			"docs/how-to/run-beside-kratix.md: kubectl get works -A -o custom-columns='NAMESPACE:.metadata.namespace,NAME:.metadata.name,FREE:.status.conditions[?(@.type==\"ConflictFree\")].status,WHY:.status.conditions[?(@.type==\"ConflictFree\")].message'",
			"docs/how-to/run-beside-kratix.md: kratix-schedule handover --context my-cluster",
			"docs/how-to/run-beside-kratix.md: kubectl kustomize deploy/secrets | sed 's/namespace: default/namespace: stores/' | kubectl apply -f -",
			"docs/how-to/run-beside-kratix.md: kratix-schedule run --kube --context my-cluster --dry-run --once",
			"docs/how-to/run-several-replicas.md: kubectl label gitstatestore eu-prod sharding.kratix-schedule.io/key=one",
			"docs/how-to/run-several-replicas.md: helm upgrade --install kratix-schedule deploy/charts/kratix-schedule --namespace kratix-schedule --reset-then-reuse-values --set 'shards={one,two}'",
			"docs/how-to/run-several-replicas.md: kubectl -n kratix-schedule get leases    # one for each shard, whose holder is the Pod that leads, and kratix-schedule, held by \"shards\"",
			"docs/how-to/profile-a-cluster.md: kratix-schedule profile --context worker-1 -o destinations/worker-1-profile.yaml",
			"docs/how-to/profile-a-cluster.md: kratix-schedule profile --context worker-1 --configmap | kubectl --context platform apply --server-side -f -",
			"docs/how-to/report-back-with-flux.md: openssl rand -hex 32 | tr -d '\\n' > token",
			"docs/how-to/report-back-with-flux.md: kratix-schedule agent flux worker-1 --kube --context platform --events-url https://kratix.example.com > worker-1.yaml",
			"docs/how-to/report-back-with-flux.md: kubectl --context worker-1 --namespace flux-system annotate --overwrite gitrepository/worker-1 reconcile.fluxcd.io/requestedAt=\"$(date +%s)\"",
			"docs/how-to/report-back-with-argocd.md: openssl rand -hex 32 | tr -d '\\n' > token",
			"docs/how-to/report-back-with-argocd.md: kratix-schedule agent argocd worker-1 --kube --context platform --events-url https://kratix.example.com > worker-1.yaml",
			"docs/how-to/report-back-with-argocd.md: kubectl --context argocd --namespace argocd logs deployment/argocd-notifications-controller | grep kratix-schedule",
			"docs/how-to/tell-requesters.md: kubectl apply -k deploy/requests",
			"docs/how-to/tell-requesters.md: kubectl apply -k deploy/health-records",
			"docs/how-to/tell-requesters.md: helm upgrade kratix-schedule deploy/charts/kratix-schedule --namespace kratix-schedule --reuse-values \\",
			"docs/how-to/tell-requesters.md: kubectl --namespace kratix-schedule patch deployment kratix-schedule --type json \\",
			"docs/how-to/tell-requesters.md: kubectl --namespace team-a get redis cache -o jsonpath='{.status.kratixSchedule}'",
			"docs/how-to/monitor.md: kubectl get destinations -o custom-columns='NAME:.metadata.name,APPLIED:.status.conditions[?(@.type==\"Applied\")].status,WHY:.status.conditions[?(@.type==\"Applied\")].message'",
			"docs/how-to/monitor.md: kubectl get gitstatestores,bucketstatestores --label-columns sharding.kratix-schedule.io/key",
		},
		bench: {
			"docs/benchmarks/page.md: go test ./internal/page -run '^$' -bench Pages -benchtime 5x",
			"docs/benchmarks/first-round.md: go test ./test/scale -run '^$' -bench Daemon -benchtime 1x -v -args -works 20000 -destinations 200 -pairs 1 -keep DIR",
			"docs/benchmarks/daemon.md: go test ./test/scale -run '^$' -bench Daemon -benchtime 1x -timeout 2h -v",
			"docs/benchmarks/rounds.md: go test ./reconcile -run '^$' -bench 'Round/.*/10000$' -benchtime 10x -benchmem",
			"docs/benchmarks/scheduler.md: go test ./scheduler -run '^$' -bench Fleet -benchtime 3x",
			"docs/benchmarks/source.md: go test ./source/dir -run '^$' -bench Fleet -benchmem -benchtime 3x",
			"docs/benchmarks/validate.md: cd cmd/kratix-schedule",
		},
		image: {
			"docs/how-to/build-the-image.md: make image                      # with docker",
			"docs/how-to/build-the-image.md: docker buildx create --use",
			"docs/how-to/build-the-image.md: docker run --rm -v \"$PWD/in:/in:ro\" kratix-schedule:dev run -f /in",
		},
		inside: {
			"docs/how-to/end-a-pipeline.md: kratix-schedule work --from /kratix --promise redis --pipeline instance --selectors environment=prod --apply",
		},
	} {
		for _, key := range keys {
			listed[key] = elsewhere{why: why}
		}
	}
	for _, command := range allCommands(root(streams{})) {
		if command.Example != "" {
			first, _, _ := strings.Cut(strings.TrimPrefix(command.Example, "  "), "\n")
			listed["docs/reference/cli.md: "+first] = elsewhere{why: example}
		}
	}
	return listed
}

func TestDocumentedCommandsRun(t *testing.T) {
	listed := notRun()
	for _, file := range documents(t) {
		blocks := blocksOf(t, file)
		var script []string
		for _, b := range blocks {
			skip, isListed := listed[b.key()]
			delete(listed, b.key())
			switch {
			case !isListed:
				script = append(script, b.script())
			case skip.instead != "":
				script = append(script, skip.instead)
			}
		}
		if len(script) > 0 {
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				runInShell(t, strings.Join(script, "\n"))
			})
		}
	}
	for key, skip := range listed {
		t.Errorf("%q is listed (%s) and is in no document", key, skip.why)
	}
}

func (b block) script() string {
	at := fmt.Sprintf("%s:%d", b.file, b.line)
	text := "echo '== " + at + "'\n"
	if b.status == "0" {
		return text + b.commands()
	}
	return text + "set +e\n" + strings.TrimSuffix(b.commands(), "\n") + "\n" +
		"ended=$?; set -e; [ $ended = " + b.status + " ] || { echo 'ended with' $ended; exit 1; }\n"
}

func documents(t *testing.T) []string {
	t.Helper()
	files := []string{"README.md"}
	err := filepath.WalkDir("../../docs", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".md" {
			files = append(files, strings.TrimPrefix(filepath.ToSlash(path), "../../"))
		}
		return err
	})
	if err != nil || len(files) < 20 {
		t.Fatalf("%d documents: %v", len(files), err)
	}
	return files
}

var fence = regexp.MustCompile("^ *```(.*)$")

func blocksOf(t *testing.T, file string) []block {
	t.Helper()
	content, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	var current *block
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		mark := fence.FindStringSubmatch(strings.TrimRight(line, "\n"))
		switch {
		case mark == nil && current != nil:
			current.text += line
		case mark == nil:
		case current == nil:
			current = newBlock(t, file, number, mark[1])
		default:
			if current.language == "sh" || current.language == "console" {
				blocks = append(blocks, *current)
			}
			current = nil
		}
	}
	if current != nil {
		t.Fatalf("%s:%d: the block does not end", file, current.line)
	}
	return blocks
}

func newBlock(t *testing.T, file string, line int, info string) *block {
	t.Helper()
	words := append(strings.Fields(info), "", "")
	b := &block{file: file, line: line, language: words[0], status: "0"}
	if status, ok := strings.CutPrefix(words[1], "exit="); ok {
		b.status = status
	} else if words[1] != "" {
		t.Errorf("%s:%d: the info string %q is not known", file, line, info)
	}
	switch b.language {
	case "bash", "shell", "zsh", "shell-session":
		t.Errorf("%s:%d: write sh or console, so that the block is run", file, line)
	}
	return b
}

func runInShell(t *testing.T, script string) {
	t.Helper()
	for _, tool := range []string{"curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil && strings.Contains(script, tool+" ") {
			t.Skipf("%s is not here: %v", tool, err)
		}
	}
	w := newExampleDir(t)
	script = strings.ReplaceAll(script, "127.0.0.1:8080", freeAddress(t))
	const patience = 2 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-e", "-c", script)
	shell.Dir, shell.Env = t.TempDir(), append(w.env, "CHECKOUT="+w.dir)
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	said := filepath.Join(t.TempDir(), "said")
	out, err := os.Create(said)
	if err != nil {
		t.Fatal(err)
	}
	shell.Stdout, shell.Stderr = out, out
	err = shell.Run()
	_ = syscall.Kill(-shell.Process.Pid, syscall.SIGTERM) // all processes of the group may have ended
	if err != nil {
		text, _ := os.ReadFile(said)
		t.Errorf("%v:\n%s", err, text)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
