package scale

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

const zones = 100

type env struct {
	t               testing.TB
	source, staging string
	zip             *gzip.Writer
}

func newEnv(t testing.TB, url string, destinations int) *env {
	t.Helper()
	root := t.TempDir()
	w := &env{t: t, source: filepath.Join(root, "source"), staging: filepath.Join(root, "staging"), zip: gzip.NewWriter(nil)}
	for _, dir := range []string{w.source, w.staging} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.write(w.source, "store.yaml", `apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {name: default}
spec:
  url: `+url+`
  branch: main
  secretRef: {name: git, namespace: default}
---
apiVersion: v1
kind: Secret
metadata: {name: git, namespace: default}
stringData: {username: `+gittest.User+`, password: `+gittest.Password+`}
`)
	var all strings.Builder
	for i := range destinations {
		fmt.Fprintf(&all, `---
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {name: worker-%04d, labels: {zone: zone-%02d}, annotations: {kratix-schedule.io/kubernetes-version: '1.36'}}
spec:
  path: worker-%04d
  stateStoreRef: {kind: GitStateStore, name: default}
`, i, i%min(zones, destinations), i)
	}
	w.write(w.source, "destinations.yaml", all.String())
	return w
}

func (w *env) write(dir, name, content string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func workFile(i int) string { return fmt.Sprintf("work-%06d.yaml", i) }

func (w *env) prepareWorks(from, to, destinations int) {
	w.t.Helper()
	for i := from; i < to; i++ {
		w.write(w.staging, workFile(i), w.work(i, min(zones, destinations)))
	}
}

func (w *env) addWorks(from, to int) {
	w.t.Helper()
	for i := from; i < to; i++ {
		if err := os.Rename(filepath.Join(w.staging, workFile(i)), filepath.Join(w.source, workFile(i))); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *env) work(i, kinds int) string {
	var text strings.Builder
	fmt.Fprintf(&text, `apiVersion: platform.kratix.io/v1alpha1
kind: Work
metadata:
  name: postgresql-db-%d
  namespace: team-%d
  labels:
    kratix.io/promise-name: postgresql
    kratix.io/resource-name: db-%d
    kratix.io/pipeline-name: instance
    kratix.io/work-type: resource
spec:
  promiseName: postgresql
  resourceName: db-%d
  workloadGroups:
  - directory: .
    id: %s
    destinationSelectors:
    - matchLabels: {zone: zone-%02d}
      source: promise
    workloads:
`, i, i%300, i, i, kratix.GroupID("."), i%kinds)
	for _, file := range manifests(i) {
		fmt.Fprintf(&text, "    - filepath: %s\n      content: %s\n", file.name, w.compress(file.content))
	}
	return text.String()
}

func (w *env) compress(content string) string {
	var packed bytes.Buffer
	w.zip.Reset(&packed)
	_, _ = w.zip.Write([]byte(content))
	_ = w.zip.Close()
	return base64.StdEncoding.EncodeToString(packed.Bytes())
}

type manifest struct{ name, content string }

func manifests(i int) []manifest {
	return []manifest{
		{"database.yaml", fmt.Sprintf(`apiVersion: acid.zalan.do/v1
kind: postgresql
metadata:
  name: db-%d
  namespace: team-%d
  labels: {app: db-%d, team: team-%d}
spec:
  teamId: team-%d
  volume: {size: 10Gi}
  numberOfInstances: 2
  users: {owner: [superuser, createdb], reader: []}
  databases: {app: owner}
  postgresql: {version: "16"}
`, i, i%300, i, i%300, i%300)},
		{"service.yaml", fmt.Sprintf(`apiVersion: v1
kind: Service
metadata:
  name: db-%d
  namespace: team-%d
spec:
  selector: {app: db-%d}
  ports:
  - {name: postgresql, port: 5432, targetPort: 5432, protocol: TCP}
`, i, i%300, i)},
		{"settings.yaml", fmt.Sprintf(`apiVersion: v1
kind: ConfigMap
metadata:
  name: db-%d-settings
  namespace: team-%d
data:
  host: db-%d.team-%d.svc
  database: app
  pool: "%d"
`, i, i%300, i, i%300, i%17)},
	}
}
