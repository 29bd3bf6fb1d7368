package finding

// KindNotServed returns KS100: the API server does not serve the kind of an object.
func KindNotServed() Rule {
	return Rule{
		ID: "KS100", Name: "KindNotServed", Severity: Error,
		Summary: "The Destination's API server does not serve the kind or the version of an object, and nothing on the Destination defines it.",
		Why: "Flux applies all of a root or nothing: it dry-runs every object before it applies one, and `no matches for kind` for one object stops all others in the root. " +
			"Built-in kinds are those of the cluster's Kubernetes minor; others must be defined by a CustomResourceDefinition in a root of the Destination, or be in its profile. " +
			"It is an error, and the placement is held back, only where that is certain; without a profile an operator may have brought the kind, so it is a warning, and without the version of the cluster it is not reported. " +
			"It is a warning, too, if the API server could not list the kind's group when the profile was taken (KS114), or if the profile and the annotation of the Destination disagree (KS113).",
		Fix: "Put the CustomResourceDefinition into the Promise's dependencies, correct apiVersion and kind, or write a new profile of the cluster with `kratix-schedule profile`.",
		Example: `apiVersion: example.com/v1
kind: Shop
metadata: {name: a, namespace: default}

Shop/default/a dry-run failed: no matches for kind "Shop" in version "example.com/v1"`,
	}
}

// RemovedAPI returns KS101: an API version was removed in the cluster's Kubernetes minor.
func RemovedAPI() Rule {
	return Rule{
		ID: "KS101", Name: "RemovedAPI", Severity: Error,
		Summary: "An object has an API version that Kubernetes has removed.",
		Why: "The API server of the cluster's minor does not serve the version any more, so Flux cannot even dry-run the object, and applies nothing of the whole root. " +
			"The message names the version that replaced it and the minor that removed it. The placement is held back if the cluster's version is known; otherwise it is a warning.",
		Fix: "Use the API version that the message names; its fields may differ, see the Kubernetes deprecated API migration guide.",
		Example: `apiVersion: policy/v1beta1 # policy/v1 since Kubernetes 1.21
kind: PodDisruptionBudget
metadata: {name: web, namespace: default}

PodDisruptionBudget/default/web dry-run failed: no matches for kind "PodDisruptionBudget" in version "policy/v1beta1"`,
	}
}

// DeprecatedAPI returns KS102: an API version is deprecated in the cluster's Kubernetes minor.
func DeprecatedAPI() Rule {
	return Rule{
		ID: "KS102", Name: "DeprecatedAPI", Severity: Warning,
		Summary: "An object has an API version that Kubernetes will remove.",
		Why:     "It can still be applied. Once the cluster is upgraded to the minor that removes the version, the object stops everything in its root.",
		Fix:     "Use the API version that the message names before the cluster is upgraded.",
		Example: `apiVersion: v1
kind: Endpoints # EndpointSlice of discovery.k8s.io/v1 since Kubernetes 1.33
metadata: {name: web, namespace: default}`,
	}
}

// NamespaceMissing returns KS103: nothing creates the namespace of an object.
func NamespaceMissing() Rule {
	return Rule{
		ID: "KS103", Name: "NamespaceMissing", Severity: Error,
		Summary: "An object is in a namespace that nothing creates.",
		Why: "The API server refuses it with `namespaces \"x\" not found`, and Flux applies nothing of the root. Flux applies namespaces of the same root first, so one there is enough, and so is one " +
			"in another root of the Destination. The placement is held back if a profile of the cluster exists and does not have the namespace; without a profile it is a warning, and without the version of the cluster it is not reported. " +
			"An object without a namespace is always a warning: Flux refuses it with `namespace not specified`, unless its Kustomization has a targetNamespace.",
		Fix: "Add a Namespace object to the Promise's dependencies, correct metadata.namespace, or write a new profile with `kratix-schedule profile` once the namespace is there.",
		Example: `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop} # and no file has a Namespace shop

ConfigMap/shop/settings not found: namespaces "shop" not found`,
	}
}

// InvalidField returns KS104: an object does not fit the schema of its kind.
func InvalidField() Rule {
	return Rule{
		ID: "KS104", Name: "InvalidField", Severity: Error,
		Summary: "An object does not fit the schema of its kind: a wrong type, a missing or unknown field, a value that is not allowed.",
		Why: "Flux uses server-side apply, which is strict: the dry run of one such object fails, and Flux applies nothing in the root. Built-in kinds are checked with the schemas of the " +
			"cluster's minor, and custom resources with the schema, the defaults and the CEL rules of their CustomResourceDefinition, by the API server's own code. " +
			"The placement is held back. Without a known version the schemas of built-in kinds are those of the newest minor, and it is a warning.",
		Fix: "Correct the field that the message names; `kubectl explain` of the kind shows what it may have.",
		Example: `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default}
data:
  replicas: 3 # must be a string: "3"

ConfigMap/default/settings dry-run failed: failed to create typed patch object (default/settings; /v1, Kind=ConfigMap): .data.replicas: expected string, got &value.valueUnstructured{Value:3}`,
	}
}

// DroppedField returns KS105: Flux drops a field that a built-in kind does not have.
func DroppedField() Rule {
	return Rule{
		ID: "KS105", Name: "DroppedField", Severity: Warning,
		Summary: "An object of a built-in kind has a field that its kind does not have, and Flux drops it silently.",
		Why: "Before Flux applies an object of a built-in kind, it decodes it as the Go type of the kind, and fields that the type does not have are lost: a misspelt `readynessProbe` never reaches the cluster. " +
			"The object is applied, but not as intended. If any other field of the object has a wrong type, Flux sends the object as it is, and the API server rejects both fields.",
		Fix: "Correct the name of the field; `kubectl explain` of the kind shows what it may have.",
		Example: `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  containers:
  - name: web
    image: nginx
    readynessProbe: {httpGet: {port: 80}} # readinessProbe; the Pod applies without it`,
	}
}

// InvalidMetadata returns KS106: the name, labels, annotations or size of an object are invalid.
func InvalidMetadata() Rule {
	return Rule{
		ID: "KS106", Name: "InvalidMetadata", Severity: Error,
		Summary: "The name, a label, an annotation or the size of an object is not allowed.",
		Why: "Names, label keys and label values have a syntax that depends on the kind; all annotations of an object together may have 256 KiB, the data of a ConfigMap or Secret 1 MiB, and " +
			"an object 1.5 MiB, since etcd does not store more. No version of Kubernetes accepts more, so the placement is always held back: Flux would apply nothing in the root.",
		Fix: "Correct the name or label, or split what is too large into several objects.",
		Example: `apiVersion: v1
kind: ConfigMap
metadata: {name: Shop_Settings, namespace: default}

ConfigMap/default/Shop_Settings dry-run failed (Invalid): ConfigMap "Shop_Settings" is invalid: metadata.name: Invalid value: "Shop_Settings": a lowercase RFC 1123 subdomain must consist of ...`,
	}
}

// ImmutableField returns KS107: an immutable field changes.
func ImmutableField() Rule {
	return Rule{
		ID: "KS107", Name: "ImmutableField", Severity: Error,
		Summary: "A field changes that cannot change once the object exists.",
		Why: "The cluster has the object as it is in the store, and the API server refuses to change this field: a selector, a roleRef, a Job's template, most of a StatefulSet or of a " +
			"PersistentVolumeClaim, a Service's clusterIP, an immutable ConfigMap, what a CEL rule with oldSelf protects. Flux reports it for the whole root and applies nothing else in it. " +
			"The change is held back, and the placement keeps the files it has.",
		Fix: "Give the object another name, or annotate it with `kustomize.toolkit.fluxcd.io/force: enabled`; Flux then deletes and recreates it.",
		Example: `apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec:
  clusterIP: 10.0.0.51 # the stored file has 10.0.0.50
  ports: [{port: 80}]

Service/default/web dry-run failed (Invalid): Service "web" is invalid: spec.clusterIPs[0]: Invalid value: ["10.0.0.51"]: may not change once set`,
	}
}

// DefinitionRemoved returns KS108: a CustomResourceDefinition or a version of it is removed while
// objects of it remain.
func DefinitionRemoved() Rule {
	return Rule{
		ID: "KS108", Name: "DefinitionRemoved", Severity: Error,
		Summary: "A CustomResourceDefinition, or a version of it, is removed while objects of it remain on the Destination.",
		Why: "When the definition is deleted, Kubernetes deletes all its objects, whatever created them; Flux then reports `no matches for kind` for those that are still in its roots, and applies nothing there any more. " +
			"The change that removes the definition is held back, and the placement keeps the files it has.",
		Fix: "Remove the objects that the message names first, or keep the definition or the version.",
		Example: `# The new output of one pipeline no longer has the CustomResourceDefinition
#   shops.example.com
# Another request still has
apiVersion: example.com/v1
kind: Shop
metadata: {name: a, namespace: default}

Shop/default/a dry-run failed: no matches for kind "Shop" in version "example.com/v1"`,
	}
}

// ApplyOrder returns KS109: an object needs a kind that an operator in the same root would install.
func ApplyOrder() Rule {
	return Rule{
		ID: "KS109", Name: "ApplyOrder", Severity: Error,
		Summary: "A custom resource needs a definition that only an operator or a HelmRelease in the same root would install.",
		Why: "Flux dry-runs all objects of a root before it applies one. As the kind is not served yet, the dry run fails, so the HelmRelease is never applied and the kind is never served: the root cannot recover. " +
			"CustomResourceDefinitions themselves may be in the same root, since Flux applies those first. The placement is held back if a profile shows that the cluster does not serve the kind; otherwise it is a warning.",
		Fix: "Move the HelmRelease or the operator to the Promise's dependencies, or put the CustomResourceDefinitions beside the objects.",
		Example: `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease # its chart has the CustomResourceDefinition of Shop
metadata: {name: shops, namespace: default}
---
apiVersion: example.com/v1
kind: Shop # in the same root
metadata: {name: a, namespace: default}

Shop/default/a dry-run failed: no matches for kind "Shop" in version "example.com/v1"`,
	}
}
