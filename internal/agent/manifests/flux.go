package manifests

import (
	"cmp"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

const (
	fluxSource       = "source.toolkit.fluxcd.io/v1"
	fluxKustomize    = "kustomize.toolkit.fluxcd.io/v1"
	fluxNotification = "notification.toolkit.fluxcd.io/v1beta3"
)

type gitRepository struct {
	Interval  string     `yaml:"interval"`
	URL       string     `yaml:"url"`
	Ref       branchRef  `yaml:"ref"`
	Provider  string     `yaml:"provider,omitempty"`
	SecretRef *reference `yaml:"secretRef,omitempty"`
}

type branchRef struct {
	Branch string `yaml:"branch"`
}

type bucket struct {
	Interval   string     `yaml:"interval"`
	Provider   string     `yaml:"provider"`
	Endpoint   string     `yaml:"endpoint"`
	Insecure   bool       `yaml:"insecure,omitempty"`
	BucketName string     `yaml:"bucketName"`
	Prefix     string     `yaml:"prefix,omitempty"`
	SecretRef  *reference `yaml:"secretRef,omitempty"`
}

type ociRepository struct {
	Interval  string     `yaml:"interval"`
	URL       string     `yaml:"url"`
	Ref       tagRef     `yaml:"ref"`
	Insecure  bool       `yaml:"insecure,omitempty"`
	SecretRef *reference `yaml:"secretRef,omitempty"`
	Verify    *verify    `yaml:"verify,omitempty"`
}

type tagRef struct {
	Tag string `yaml:"tag"`
}

type verify struct {
	Provider  string    `yaml:"provider"`
	SecretRef reference `yaml:"secretRef"`
}

type kustomization struct {
	Interval      string      `yaml:"interval"`
	RetryInterval string      `yaml:"retryInterval"`
	Timeout       string      `yaml:"timeout"`
	DependsOn     []reference `yaml:"dependsOn,omitempty"`
	SourceRef     reference   `yaml:"sourceRef"`
	Path          string      `yaml:"path"`
	Prune         bool        `yaml:"prune"`
	Wait          bool        `yaml:"wait"`
}

type provider struct {
	Type      string    `yaml:"type"`
	Address   string    `yaml:"address"`
	SecretRef reference `yaml:"secretRef"`
}

type alert struct {
	ProviderRef   reference         `yaml:"providerRef"`
	EventSeverity string            `yaml:"eventSeverity"`
	EventSources  []reference       `yaml:"eventSources"`
	EventMetadata map[string]string `yaml:"eventMetadata"`
}

// retryInterval is the time after which Flux retries a failed apply.
const retryInterval = "2m"

// Flux returns the YAML of the source and the Kustomizations for a Destination, and of their events
// if o.EventsURL is set.
func Flux(d *kratix.Destination, store kratix.Object, o Options) ([]byte, error) {
	t, err := newTarget(d, store)
	if err != nil {
		return nil, err
	}
	source := t.fluxSource(o)
	documents := []document{source}
	for i, r := range t.roots {
		spec := kustomization{
			Interval: duration(o.Interval), RetryInterval: retryInterval, Timeout: duration(o.Timeout),
			SourceRef: reference{Kind: source.object.Kind, Name: source.object.Metadata.Name}, Path: fluxPath(r), Prune: true, Wait: true,
		}
		comment := "With wait, a reconciliation is finished when all objects are healthy."
		if i > 0 {
			spec.DependsOn = []reference{{Name: t.objectName(t.roots[i-1])}}
			comment = "Applied once " + t.objectName(t.roots[i-1]) + " is ready."
		}
		documents = append(documents, document{comment, object{fluxKustomize, "Kustomization", metadata{Name: t.objectName(r), Namespace: o.Namespace}, spec, nil}})
	}
	if o.EventsURL != "" {
		documents = append(documents, t.fluxEvents(o)...)
	}
	return encode(documents)
}

func fluxPath(r root) string {
	if r.dir.IsRoot() {
		return "./"
	}
	return "./" + r.dir.String()
}

func (t *target) fluxSource(o Options) document {
	name := metadata{Name: t.name, Namespace: o.Namespace}
	secret := cmp.Or(o.SourceSecret, shortened(t.destination.Name, "source"))
	needs := "It needs the Secret " + o.Namespace + "/" + secret
	switch store := t.store.(type) {
	case *kratix.GitStateStore:
		spec := gitRepository{Interval: "1m", URL: t.git.String(), Ref: branchRef{kratix.BranchName(store.Spec.Branch)}, SecretRef: &reference{Name: secret}}
		if store.Spec.SecretRef == nil {
			spec.SecretRef = nil
			return document{"The state store has no Secret, so that none is needed to read it.", object{fluxSource, "GitRepository", name, spec, nil}}
		}
		switch store.Spec.AuthMethod {
		case "ssh":
			needs += " with the keys identity (a private key that may read; Kratix's key is\nsshPrivateKey) and known_hosts (Kratix: knownHosts)."
		case "githubApp":
			spec.Provider = "github"
			needs += " with the keys githubAppID, githubAppInstallationID and\ngithubAppPrivateKey (Kratix: appID, installationID, privateKey)."
		default:
			needs += " with the keys username and password, as Kratix's. Read access is enough."
		}
		if store.Spec.Insecure {
			needs += "\nFlux verifies the server's certificate: add the key ca.crt to the Secret."
		}
		return document{needs, object{fluxSource, "GitRepository", name, spec, nil}}
	case *kratix.BucketStateStore:
		spec := bucket{
			Interval: "1m", Provider: "generic", Endpoint: store.Spec.Endpoint, Insecure: store.Spec.Insecure, BucketName: store.Spec.BucketName,
			SecretRef: &reference{Name: secret},
		}
		if !t.base.IsRoot() {
			spec.Prefix = t.base.String() + "/"
		}
		needs += " with the keys accesskey and secretkey (Kratix: accessKeyID and\nsecretAccessKey). To list the prefix and to get its objects is enough."
		if store.Spec.AuthMethod == "IAM" {
			spec.Provider, spec.SecretRef = "aws", nil
			needs = "It needs no Secret, but a role of source-controller's ServiceAccount that may list the\nprefix and get its objects, and spec.region if the endpoint does not tell it."
		}
		return document{needs, object{fluxSource, "Bucket", name, spec, nil}}
	case *kratix.OCIStateStore:
		return t.fluxArtifacts(store, o, name, secret)
	}
	return document{}
}

func (t *target) fluxArtifacts(store *kratix.OCIStateStore, o Options, name metadata, secret string) document {
	spec := ociRepository{Interval: "1m", URL: t.oci, Ref: tagRef{ociTag}, Insecure: store.Spec.Insecure, SecretRef: &reference{Name: secret}}
	needs := "It needs the Secret " + o.Namespace + "/" + secret + " of the type kubernetes.io/dockerconfigjson\n(kubectl create secret docker-registry). To pull is enough."
	if store.Spec.SecretRef == nil && store.Spec.AuthMethod != "tokenFile" {
		spec.SecretRef = nil
		needs = "The state store has no Secret, so that none is needed to read it."
	}
	if o.VerifySecret != "" {
		spec.Verify = &verify{"cosign", reference{Name: o.VerifySecret}}
		needs += "\nIt verifies signatures with the public key in the Secret " + o.Namespace + "/" + o.VerifySecret + ": a key\nthat ends in .pub, such as cosign.pub."
	}
	return document{needs, object{fluxSource, "OCIRepository", name, spec, nil}}
}

// ociTag is the tag of the newest artifact.
const ociTag = "latest"

func (t *target) fluxEvents(o Options) []document {
	name := shortened(t.destination.Name, "events")
	documents := []document{{
		"It needs the Secret " + o.Namespace + "/" + o.EventsSecret + " with the key token: the secret of --events-secret-file." + plaintext(o.EventsURL, "what is reported"),
		object{fluxNotification, "Provider", metadata{Name: name, Namespace: o.Namespace}, provider{"generic-hmac", o.EventsURL + agent.FluxPath, reference{Name: o.EventsSecret}}, nil},
	}}
	for _, r := range t.roots {
		about := map[string]string{"destination": t.destination.Name, "health": "checked"}
		if r.name != "" {
			about["root"] = r.name
		}
		documents = append(documents, document{
			"health: checked belongs to wait: true above.",
			object{fluxNotification, "Alert", metadata{Name: t.objectName(r), Namespace: o.Namespace}, alert{
				reference{Name: name}, "info", []reference{{Kind: "Kustomization", Name: t.objectName(r)}}, about,
			}, nil},
		})
	}
	return documents
}

// plaintext returns a warning if an address is without TLS. data is the content that others could
// read.
func plaintext(address, data string) string {
	if strings.HasPrefix(address, "http:") {
		return "\nThe address is without TLS: anyone who sees the traffic can read " + data + "."
	}
	return ""
}
