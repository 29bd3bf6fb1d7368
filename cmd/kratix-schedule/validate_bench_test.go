package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

const filesPerWork = 3

func manifest(work, file int) []byte {
	return fmt.Appendf(nil, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-%d-%d\n  namespace: team-%d\n  labels:\n    app: redis\ndata:\n  maxmemory: 64mb\n  save: \"900 1\"\n", work, file, work%50)
}

func writeWorks(b testing.TB, dir string, works int) {
	b.Helper()
	const perFile = 100
	var text strings.Builder
	flush := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
		text.Reset()
	}
	for i := range works {
		work := testkit.Request(fmt.Sprintf("redis-%05d", i))
		for file := range filesPerWork {
			testkit.WithFile(strconv.Itoa(file)+".yaml", string(manifest(i, file)))(work)
		}
		document, err := yaml.Marshal(work)
		if err != nil {
			b.Fatal(err)
		}
		text.WriteString("---\n" + string(document))
		if (i+1)%perFile == 0 || i+1 == works {
			flush(fmt.Sprintf("works-%05d.yaml", i))
		}
	}
	text.WriteString("apiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata: {name: worker-1}\nspec: {stateStoreRef: {kind: GitStateStore, name: default}}\n" +
		"---\napiVersion: platform.kratix.io/v1alpha1\nkind: GitStateStore\nmetadata: {name: default}\nspec: {url: ./store.git}\n")
	flush("destination.yaml")
}

func BenchmarkValidate(b *testing.B) {
	for _, works := range []int{500, 1000, 5000} {
		b.Run(strconv.Itoa(works), func(b *testing.B) {
			dir := b.TempDir()
			writeWorks(b, dir, works)
			self, err := os.Executable()
			if err != nil {
				b.Fatal(err)
			}
			peak, processor := int64(0), 0.0
			for b.Loop() {
				run := exec.CommandContext(b.Context(), self, "validate", dir)
				run.Env = append(os.Environ(), "KRATIX_SCHEDULE_AS_PROGRAM=1")
				output, err := run.CombinedOutput()
				if want := fmt.Sprintf("checked: %d placed; ", works); err != nil || !strings.Contains(string(output), want) {
					b.Fatalf("%v: %s", err, output)
				}
				if usage, ok := run.ProcessState.SysUsage().(*syscall.Rusage); ok {
					peak = max(peak, usage.Maxrss)
				}
				processor += (run.ProcessState.UserTime() + run.ProcessState.SystemTime()).Seconds()
			}
			b.ReportMetric(processor/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(peak)/1024, "peak-MiB")
		})
	}
}

func BenchmarkKustomizeBuild(b *testing.B) {
	for _, works := range []int{500, 1000, 5000} {
		b.Run(strconv.Itoa(works), func(b *testing.B) {
			disk := filesys.MakeFsInMemory()
			root := types.Kustomization{TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind}}
			for i := range works {
				for file := range filesPerWork {
					name := fmt.Sprintf("default/redis/r%05d/5058f/%d.yaml", i, file)
					root.Resources = append(root.Resources, "./"+name)
					if err := disk.WriteFile("/root/"+name, manifest(i, file)); err != nil {
						b.Fatal(err)
					}
				}
			}
			text, err := yaml.Marshal(root)
			if err != nil {
				b.Fatal(err)
			}
			if err := disk.WriteFile("/root/kustomization.yaml", text); err != nil {
				b.Fatal(err)
			}
			before := processorSeconds(b)
			for b.Loop() {
				built, err := krusty.MakeKustomizer(&krusty.Options{
					LoadRestrictions: types.LoadRestrictionsNone, PluginConfig: types.DisabledPluginConfig(),
				}).Run(disk, "/root")
				if err != nil || built.Size() != works*filesPerWork {
					b.Fatal(err)
				}
			}
			b.ReportMetric((processorSeconds(b)-before)/float64(b.N), "cpu-s/op")
		})
	}
}

// processorSeconds returns the CPU time of this process.
func processorSeconds(b *testing.B) float64 {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func BenchmarkStartUp(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	for _, args := range [][]string{{"version"}, {"--help"}} {
		b.Run(args[0], func(b *testing.B) {
			processor := 0.0
			for b.Loop() {
				run := exec.CommandContext(b.Context(), self, args...)
				run.Env = append(os.Environ(), "KRATIX_SCHEDULE_AS_PROGRAM=1")
				run.Stdout = io.Discard
				if err := run.Run(); err != nil {
					b.Fatal(err)
				}
				processor += (run.ProcessState.UserTime() + run.ProcessState.SystemTime()).Seconds()
			}
			b.ReportMetric(processor*1000/float64(b.N), "cpu-ms/op")
		})
	}
}
