package apply

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fluxcd/pkg/ssa/utils"
	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/test/apiserver"
)

const (
	benchObjects = 8000
	benchVersion = "1.36.3"
)

func benchKinds() []string {
	return []string{
		"v1 ConfigMap", "v1 LimitRange", "v1 PersistentVolume", "v1 PersistentVolumeClaim", "v1 Pod",
		"v1 PodTemplate", "v1 ReplicationController", "v1 ResourceQuota", "v1 Secret", "v1 Service",
		"v1 ServiceAccount", "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy",
		"admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration", "apps/v1 DaemonSet",
		"apps/v1 Deployment", "apps/v1 ReplicaSet", "apps/v1 StatefulSet",
		"autoscaling/v2 HorizontalPodAutoscaler", "batch/v1 CronJob", "batch/v1 Job",
		"coordination.k8s.io/v1 Lease", "networking.k8s.io/v1 Ingress",
		"networking.k8s.io/v1 NetworkPolicy", "policy/v1 PodDisruptionBudget",
		"rbac.authorization.k8s.io/v1 ClusterRole", "rbac.authorization.k8s.io/v1 ClusterRoleBinding",
		"rbac.authorization.k8s.io/v1 Role", "rbac.authorization.k8s.io/v1 RoleBinding",
		"scheduling.k8s.io/v1 PriorityClass", "storage.k8s.io/v1 StorageClass",
	}
}

// BenchmarkCheck checks the same objects with kubeconform and with applycheck, without a cache.
func BenchmarkCheck(b *testing.B) {
	schemas := benchSchemas(b)
	files := benchFiles(b)
	newValidator := func() validator.Validator {
		v, err := validator.New([]string{schemas + "/{{ .ResourceKind }}{{ .KindSuffix }}.json"}, validator.Opts{KubernetesVersion: benchVersion, Strict: true})
		must(b, err)
		return v
	}
	validate := func(b *testing.B, v validator.Validator, r resource.Resource) {
		if result := v.ValidateResource(r); result.Status != validator.Valid {
			b.Errorf("%v\n%s", result.Err, r.Bytes)
		}
	}
	b.Run("kubeconform/files", withProcessorTime(func(b *testing.B) {
		dir := writeFiles(b, files)
		for b.Loop() {
			v := newValidator()
			read, failed := resource.FromFiles(b.Context(), []string{dir}, nil, runtime.GOMAXPROCS(0))
			var running sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				running.Go(func() {
					for r := range read {
						validate(b, v, r)
					}
				})
			}
			running.Wait()
			for err := range failed {
				b.Error(err)
			}
		}
	}))
	b.Run("kubeconform/bytes", withProcessorTime(func(b *testing.B) {
		for b.Loop() {
			v := newValidator()
			inParallel(len(files), func(i int) { validate(b, v, resource.Resource{Path: "a.yaml", Bytes: files[i]}) })
		}
	}))
	cluster, err := applycheck.NewCluster(benchVersion, nil)
	must(b, err)
	root := benchRoot(files)
	b.Run("applycheck/files", withProcessorTime(func(b *testing.B) {
		for b.Loop() {
			root.Cache = &kustomize.Cache{KeepNodes: 1 << 20}
			root.Cache.Load(files)
			checkAll(b, cluster, root)
		}
	}))
	b.Run("applycheck/round", func(b *testing.B) {
		var used time.Duration
		for b.Loop() {
			b.StopTimer()
			root.Cache = &kustomize.Cache{KeepNodes: 1 << 20}
			root.Cache.Load(files)
			before := processorTime(b)
			b.StartTimer()
			checkAll(b, cluster, root)
			used += processorTime(b) - before
		}
		b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "cpu-ms/op")
	})
}

func writeFiles(b *testing.B, files [][]byte) string {
	dir := b.TempDir()
	for i, content := range files {
		must(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), content, 0o600))
	}
	return dir
}

func checkAll(b *testing.B, cluster *applycheck.Cluster, root dedupe.Root) {
	in := applycheck.Input{Cluster: cluster, Roots: []dedupe.Root{root}, Memory: &applycheck.Memory{}}
	for _, check := range []func(applycheck.Input) []applycheck.Verdict{applycheck.CheckClaims, applycheck.CheckRoots} {
		for _, verdict := range check(in) {
			if len(verdict.Findings) > 0 {
				b.Fatalf("%+v", verdict.Findings[0])
			}
		}
	}
}

func withProcessorTime(do func(*testing.B)) func(*testing.B) {
	return func(b *testing.B) {
		before := processorTime(b)
		do(b)
		b.ReportMetric(float64((processorTime(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
	}
}

func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func inParallel(count int, do func(int)) {
	var next atomic.Int64
	var running sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	running.Wait()
}

func benchRoot(files [][]byte) dedupe.Root {
	namespace := dedupe.File{File: tree.File{Path: parse("d/resources/namespace.yaml"), Content: []byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n")}}
	root := dedupe.Root{Path: parse("d/resources"), Foreign: []dedupe.File{namespace}}
	for i, content := range files {
		work, dir := fmt.Sprint("Work default/w", i), fmt.Sprint("d/resources/w", i)
		file := dedupe.File{File: tree.File{Path: parse(dir + "/o.yaml"), Content: content}, Place: finding.Place{Object: work, File: dir + "/o.yaml"}}
		root.Claims = append(root.Claims, dedupe.Claim{Object: work, Owner: work, Dir: parse(dir), Wanted: []dedupe.File{file}})
	}
	return root
}

func benchFiles(b *testing.B) [][]byte {
	b.Helper()
	examples := map[string]map[string]any{}
	paths, err := filepath.Glob("testdata/builtin/*.yaml")
	must(b, err)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		must(b, err)
		read, err := utils.ReadObjects(bytes.NewReader(content))
		must(b, err)
		for _, object := range read {
			examples[object.GetAPIVersion()+" "+object.GetKind()] = object.Object
		}
	}
	kinds := benchKinds()
	var files [][]byte
	for i := range benchObjects {
		example := examples[kinds[i%len(kinds)]]
		if example == nil {
			b.Fatal("no example of ", kinds[i%len(kinds)])
		}
		files = append(files, render(b, example, fmt.Sprintf("name-%d", i)))
	}
	return files
}

func benchSchemas(b *testing.B) string {
	b.Helper()
	s := &Schemas{components: map[string]Schema{}}
	names := map[string]string{}
	for _, path := range openAPIDocuments(b) {
		content, err := os.ReadFile(path)
		must(b, err)
		var document struct {
			Components struct{ Schemas map[string]Schema }
		}
		must(b, json.Unmarshal(content, &document))
		maps.Copy(s.components, document.Components.Schemas)
		for name, component := range document.Components.Schemas {
			for _, at := range list(component["x-kubernetes-group-version-kind"]) {
				group := object(at)
				names[strings.TrimPrefix(text(group["group"])+"/"+text(group["version"])+" "+text(group["kind"]), "/")] = name
			}
		}
	}
	dir := b.TempDir()
	for _, kind := range benchKinds() {
		content, err := json.Marshal(s.standalone(s.components[names[kind]]))
		must(b, err)
		must(b, os.WriteFile(filepath.Join(dir, schemaName(kind)), content, 0o600))
	}
	return dir
}

func schemaName(kind string) string {
	apiVersion, name, _ := strings.Cut(kind, " ")
	group, version, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		return strings.ToLower(name) + "-" + group + ".json"
	}
	group, _, _ = strings.Cut(group, ".")
	return strings.ToLower(name + "-" + group + "-" + version + ".json")
}

func openAPIDocuments(b *testing.B) []string {
	b.Helper()
	module := apiserver.Download(b, b.TempDir(), "k8s.io/kubernetes@v"+benchVersion)
	paths, err := filepath.Glob(filepath.Join(module.Dir, "api/openapi-spec/v3/*_openapi.json"))
	must(b, err)
	return paths
}

func (s *Schemas) standalone(of Schema) any {
	of = s.Resolve(of)
	out := maps.Clone(of)
	delete(out, "description")
	delete(out, "default")
	if properties := of.Properties(); properties != nil {
		fields := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			fields[name] = s.standalone(object(properties[name]))
		}
		out["properties"], out["additionalProperties"] = fields, false
	} else if values := object(of["additionalProperties"]); values != nil {
		out["additionalProperties"] = s.standalone(values)
	}
	if items := object(of["items"]); items != nil {
		out["items"] = s.standalone(items)
	}
	switch {
	case text(of["format"]) == "int-or-string" || of["oneOf"] != nil:
		out = Schema{"oneOf": []any{map[string]any{"type": "string"}, map[string]any{"type": "number"}}}
	case of.Type() != "":
		out["type"] = []any{of.Type(), "null"}
	}
	return out
}
