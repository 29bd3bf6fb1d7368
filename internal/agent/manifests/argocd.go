package manifests

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type application struct {
	Project     string         `yaml:"project"`
	Source      argoSource     `yaml:"source"`
	Destination argoCluster    `yaml:"destination"`
	SyncPolicy  argoSyncPolicy `yaml:"syncPolicy"`
}

type argoSource struct {
	RepoURL        string        `yaml:"repoURL"`
	TargetRevision string        `yaml:"targetRevision"`
	Path           string        `yaml:"path"`
	Directory      argoDirectory `yaml:"directory"`
}

type argoDirectory struct {
	Recurse bool `yaml:"recurse"`
}

type argoCluster struct {
	Server string `yaml:"server"`
}

type argoSyncPolicy struct {
	Automated argoAutomated `yaml:"automated"`
	Retry     argoRetry     `yaml:"retry"`
	Options   []string      `yaml:"syncOptions"`
}

type argoAutomated struct {
	Prune    bool `yaml:"prune"`
	SelfHeal bool `yaml:"selfHeal"`
}

type argoRetry struct {
	Limit   int         `yaml:"limit"`
	Backoff argoBackoff `yaml:"backoff"`
}

type argoBackoff struct {
	Duration    string `yaml:"duration"`
	Factor      int    `yaml:"factor"`
	MaxDuration string `yaml:"maxDuration"`
}

// The annotations of an Application that the template reads.
const (
	destinationAnnotation = "kratix-schedule.io/destination"
	rootAnnotation        = "kratix-schedule.io/root"
)

const argoName = "kratix-schedule"

// ArgoCD returns the YAML of the Applications for a Destination, and of their notifications if
// o.EventsURL is set. It returns an error for a BucketStateStore.
func ArgoCD(d *kratix.Destination, store kratix.Object, o Options) ([]byte, error) {
	if store.KindName() == kratix.BucketStateStoreKind {
		return nil, fmt.Errorf("%s is on a %s: %w", kratix.Describe(d), store.KindName(), errBucket)
	}
	t, err := newTarget(d, store)
	if err != nil {
		return nil, err
	}
	source := argoSource{RepoURL: t.oci, TargetRevision: ociTag, Directory: argoDirectory{Recurse: true}}
	if git, isGit := store.(*kratix.GitStateStore); isGit {
		source.RepoURL, source.TargetRevision = t.git.String(), kratix.BranchName(git.Spec.Branch)
	}
	var documents []document
	for i, r := range t.roots {
		source.Path = argoPath(r)
		spec := application{
			Project:     o.Project,
			Source:      source,
			Destination: argoCluster{o.Server},
			SyncPolicy: argoSyncPolicy{
				argoAutomated{Prune: true, SelfHeal: true}, argoRetry{5, argoBackoff{"5s", 2, "1m"}},
				[]string{"ServerSideApply=true", "SkipDryRunOnMissingResource=true"},
			},
		}
		about := metadata{Name: t.objectName(r), Namespace: o.Namespace}
		if o.EventsURL != "" {
			about.Annotations = map[string]string{destinationAnnotation: d.Name, "notifications.argoproj.io/subscribe.on-" + argoName + "." + argoName: ""}
			if r.name != "" {
				about.Annotations[rootAnnotation] = r.name
			}
		}
		documents = append(documents, document{argoComment(i, store), object{"argoproj.io/v1alpha1", "Application", about, spec, nil}})
	}
	if o.EventsURL != "" {
		documents = append(documents, argoNotifications(o))
	}
	return encode(documents)
}

var errBucket = errors.New("Argo CD cannot read a bucket: use Flux, a GitStateStore or an OCIStateStore") //nolint:staticcheck // Argo CD is a name

func argoPath(r root) string {
	if r.dir.IsRoot() {
		return "."
	}
	return r.dir.String()
}

func argoComment(i int, store kratix.Object) string {
	credentials := "The repository needs credentials in Argo CD: `argocd repo add`, or a Secret with the label\nargocd.argoproj.io/secret-type: repository. Read access is enough."
	switch of := store.(type) {
	case *kratix.OCIStateStore:
		if i == 0 && of.Spec.MediaType != "oci" {
			credentials += "\nThe layers have Flux's media type, which Argo CD's setting reposerver.oci.layer.media.types\nmust allow; with spec.mediaType oci in the state store, it need not be changed."
		}
	case *kratix.GitStateStore:
		if of.Spec.SecretRef == nil {
			credentials = "The state store has no Secret, so that none is needed to read it."
		}
	}
	if i > 0 {
		return "Argo CD applies both at once. Until the kinds and namespaces of the dependencies are there, this\none fails and is tried again."
	}
	return credentials
}

func argoNotifications(o Options) document {
	comment := "The same for all Destinations. Others keep their keys of this ConfigMap only if it is applied\n" +
		"server-side: kubectl apply --server-side --field-manager=kratix-schedule -f -\n" +
		"It needs the key kratix-schedule-token in the Secret " + o.Namespace + "/argocd-notifications-secret: the\n" +
		"secret of --events-secret-file." + plaintext(o.EventsURL, "the secret")
	return document{comment, object{
		APIVersion: "v1", Kind: "ConfigMap", Metadata: metadata{Name: "argocd-notifications-cm", Namespace: o.Namespace},
		Data: map[string]string{
			"service.webhook." + argoName: "url: " + o.EventsURL + "\nheaders:\n- name: Authorization\n  value: Bearer $kratix-schedule-token\n- name: Content-Type\n  value: application/json\n",
			"template." + argoName: "webhook:\n  " + argoName + ":\n    method: POST\n    path: " + agent.ArgoCDPath + "\n    body: |\n" +
				indented(argoTemplate, "      "),
			"trigger.on-" + argoName: argoTrigger,
		},
	}}
}

func indented(text, prefix string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(prefix + line)
	}
	return out.String()
}

const argoTrigger = `- description: The result of a sync, or the health, has changed.
  when: >-
    app.status?.sync?.status in ['Synced', 'Unknown']
    or app.status?.operationState?.phase in ['Failed', 'Error']
    or (app.status?.operationState?.message ?? '') contains 'Retrying attempt #'
  oncePer: >-
    [app.status?.sync?.status, app.status?.sync?.revision, app.status?.health?.lastTransitionTime,
    app.status?.operationState?.finishedAt, app.status?.operationState?.retryCount]
  send: [kratix-schedule]
`

// argoTemplate renders the body that agent.ParseArgoCD parses. It shortens lists and messages to
// limit the size of the body.
const argoTemplate = `{{- $status := .app.status | default dict -}}
{{- $annotations := .app.metadata.annotations | default dict -}}
{{- $operation := $status.operationState | default dict -}}
{{- $result := $operation.syncResult | default dict -}}
{{- $failed := list -}}
{{- range $result.resources -}}
{{- if and (lt (len $failed) 16) (or (eq (toString .status) "SyncFailed") (and .hookType (or (eq (toString .hookPhase) "Failed") (eq (toString .hookPhase) "Error")))) -}}
{{- $failed = append $failed (dict "kind" .kind "namespace" .namespace "name" .name) -}}
{{- end -}}
{{- end -}}
{{- $unhealthy := list -}}
{{- range $status.resources -}}
{{- $health := .health | default dict -}}
{{- if and (lt (len $unhealthy) 16) (eq (toString $health.status) "Degraded") -}}
{{- $unhealthy = append $unhealthy (dict "kind" .kind "namespace" .namespace "name" .name "message" (toString ($health.message | default "") | trunc 200)) -}}
{{- end -}}
{{- end -}}
{{- $conditions := list -}}
{{- range $status.conditions -}}
{{- if and (lt (len $conditions) 2) (hasSuffix "Error" .type) -}}
{{- $conditions = append $conditions (dict "type" .type "message" (toString .message | trunc 1000)) -}}
{{- end -}}
{{- end -}}
{{- $sync := $status.sync | default dict -}}
{{- $health := $status.health | default dict -}}
{{- dict
  "destination" (get $annotations "kratix-schedule.io/destination")
  "root" (get $annotations "kratix-schedule.io/root")
  "time" (dateInZone "2006-01-02T15:04:05.000Z07:00" now "UTC")
  "sync" (dict "status" $sync.status "revision" $sync.revision)
  "health" (dict "status" $health.status "message" (toString ($health.message | default "") | trunc 300))
  "operation" (dict "phase" $operation.phase "revision" $result.revision "retrying" (contains "Retrying attempt #" (toString $operation.message)) "message" (toString ($operation.message | default "") | trunc 2500) "failed" $failed)
  "conditions" $conditions
  "unhealthy" $unhealthy | toJson -}}
`
