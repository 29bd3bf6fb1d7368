package agent

import (
	"path"
	"regexp"
	"strings"
)

// object matches an object in the notation of Flux, with the groups kind, namespace and name. The
// name may be invalid: Flux may have refused the object because of it.
const object = `([A-Za-z][A-Za-z0-9]*)/(?:([a-z0-9-]+)/)?([^\s/,;'"\[\]]+)`

// The forms of messages. Parts of a message can come from the objects themselves, so most forms are
// anchored at the beginning of a message, which no object can influence.
var (
	changeLine   = regexp.MustCompile(`^` + object + ` (created|configured|unchanged|deleted|skipped|unknown)$`)
	applyFailure = regexp.MustCompile(`^` + object + ` (?:dry-run failed|apply failed|not found: |namespace not specified: |` +
		`immutable field detected, |failed to migrate API version: |metadata\.managedFields cleanup failed: |is SOPS encrypted, )`)
	// healthFailure matches the text before a list of objects in brackets. healthEntry matches one
	// entry.
	healthFailure = regexp.MustCompile(`^health check failed after \S+: (?:timeout waiting for|failed early due to stalled resources): \[`)
	healthEntry   = regexp.MustCompile(`(?:^|, )(?:` + object + ` status: '[A-Za-z]+'|can't determine status for ` + object + `)`)
	// pruneFailure matches the text before a list of objects and errors. pruneEntry matches one
	// entry.
	pruneFailure = regexp.MustCompile(`^delete failed, errors: `)
	pruneEntry   = regexp.MustCompile(`(?:^|;)` + object + ` (?:delete|query|label selector) failed: `)
	// decodeFailure matches the error about a file that Flux cannot decode before it calls
	// kustomize. The group is the path of the file in the temporary checkout.
	decodeFailure = regexp.MustCompile(`^failed to decode Kubernetes YAML from /\S*?/kustomization-\d+/(.+?\.ya?ml): `)
	buildFailure  = regexp.MustCompile(`^kustomize build failed: accumulating resources: `)
	buildFile     = regexp.MustCompile(`(?:accumulating|merging) resources from '([^']+)'`)
	// buildID matches an object in the notation of kustomize: Kind.version.group/name.namespace.
	buildID = regexp.MustCompile(`: may not add resource with an already registered id: ([A-Za-z][A-Za-z0-9]*)\.[^./\s']+\.[^/\s']+/([^/\s']+)\.(\[noNs\]|[a-z0-9-]+)(?:'|$)`)
)

// invalidName is part of the error about an object whose name contains a slash. Such a name looks
// like a namespace and a name.
const invalidName = ": invalid resource name "

func fluxNames(outcome Outcome, message string) ([]Object, []string) {
	switch outcome {
	case BuildFailed:
		return buildNames(message)
	case ApplyFailed:
		first, _, _ := strings.Cut(message, "\n")
		return matched(applyFailure, first, strings.Contains(first, invalidName)), nil
	case HealthFailed:
		return listed(healthFailure, healthEntry, message), nil
	case PruneFailed:
		return listed(pruneFailure, pruneEntry, message), nil
	case None, Progressing, Applied, Healthy:
	}
	return nil, nil
}

// matched returns the object at the beginning of a message, unless it is ambiguous.
func matched(form *regexp.Regexp, message string, ambiguous bool) []Object {
	found := form.FindStringSubmatch(message)
	if found == nil || ambiguous {
		return nil
	}
	return sortedObjects(bounded(nil, found[1:4]))
}

func listed(begin, entry *regexp.Regexp, message string) []Object {
	at := begin.FindStringIndex(message)
	if at == nil {
		return nil
	}
	var objects []Object
	for _, found := range entry.FindAllStringSubmatch(message[at[1]:], -1) {
		for groups := found[1:]; len(groups) >= 3; groups = groups[3:] {
			objects = bounded(objects, groups[:3])
		}
	}
	return sortedObjects(objects)
}

// bounded appends the object with the given kind, namespace and name, unless the kind is empty or a
// part is too long.
func bounded(objects []Object, groups []string) []Object {
	if groups[0] == "" || len(groups[0]) > maxName || len(groups[1]) > maxName || len(groups[2]) > maxName {
		return objects
	}
	return append(objects, Object{Kind: groups[0], Namespace: groups[1], Name: groups[2]})
}

// buildNames returns the object that is in two files, and the file at which the build stopped.
func buildNames(message string) ([]Object, []string) {
	if found := decodeFailure.FindStringSubmatch(message); found != nil {
		return nil, storePath("/", found[1])
	}
	if !buildFailure.MatchString(message) {
		return nil, nil
	}
	var objects []Object
	// kustomize has not checked the names of files and objects yet, so a name could imitate the
	// message.
	if found := buildID.FindAllStringSubmatch(message, 2); len(found) == 1 {
		namespace := found[0][3]
		if namespace == "[noNs]" {
			namespace = ""
		}
		objects = sortedObjects(bounded(nil, []string{found[0][1], namespace, found[0][2]}))
	}
	var file string
	for _, found := range buildFile.FindAllStringSubmatch(message, MaxObjects) {
		// The path of a file in a directory is relative to that directory, which the message names
		// first.
		file = path.Join(file, found[1])
	}
	return objects, storePath("", file)
}

func storePath(prefix, file string) []string {
	file = path.Clean(file)
	if file == "." || file == ".." || strings.HasPrefix(file, "/") || strings.HasPrefix(file, "../") ||
		len(file) > maxFile || file != cleanMessage(file) {
		return nil
	}
	return []string{prefix + file}
}
