package agent

import (
	"path"
	"regexp"
	"strings"
)

// object matches an object in the notation of Flux. Its groups are the kind, the namespace and the
// name.
const object = `([A-Za-z][A-Za-z0-9]*)/(?:([a-z0-9-]+)/)?([^\s/,;'"\[\]]+)`

// The forms of messages. Most are anchored, because text from an object can imitate a message.
var (
	changeLine   = regexp.MustCompile(`^` + object + ` (created|configured|unchanged|deleted|skipped|unknown)$`)
	applyFailure = regexp.MustCompile(`^` + object + ` (?:dry-run failed|apply failed|not found: |namespace not specified: |` +
		`immutable field detected, |failed to migrate API version: |metadata\.managedFields cleanup failed: |is SOPS encrypted, )`)
	// healthFailure matches the beginning of a message, and healthEntry an object in it.
	healthFailure = regexp.MustCompile(`^health check failed after \S+: (?:timeout waiting for|failed early due to stalled resources): \[`)
	healthEntry   = regexp.MustCompile(`(?:^|, )(?:` + object + ` status: '[A-Za-z]+'|can't determine status for ` + object + `)`)
	// pruneFailure matches the beginning of a message, and pruneEntry an object in it.
	pruneFailure = regexp.MustCompile(`^delete failed, errors: `)
	pruneEntry   = regexp.MustCompile(`(?:^|;)` + object + ` (?:delete|query|label selector) failed: `)
	// decodeFailure matches the error about a file. The group is its path in the temporary
	// checkout.
	decodeFailure = regexp.MustCompile(`^failed to decode Kubernetes YAML from /\S*?/kustomization-\d+/(.+?\.ya?ml): `)
	buildFailure  = regexp.MustCompile(`^kustomize build failed: accumulating resources: `)
	buildFile     = regexp.MustCompile(`(?:accumulating|merging) resources from '([^']+)'`)
	// buildID matches an object in the notation of kustomize: Kind.version.group/name.namespace.
	buildID = regexp.MustCompile(`: may not add resource with an already registered id: ([A-Za-z][A-Za-z0-9]*)\.[^./\s']+\.[^/\s']+/([^/\s']+)\.(\[noNs\]|[a-z0-9-]+)(?:'|$)`)
)

// invalidName is in the message about an object with an invalid name.
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

// matched returns the object that a form finds in a message. It returns nil for an ambiguous
// message.
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
// text is too long.
func bounded(objects []Object, groups []string) []Object {
	if groups[0] == "" || len(groups[0]) > maxName || len(groups[1]) > maxName || len(groups[2]) > maxName {
		return objects
	}
	return append(objects, Object{Kind: groups[0], Namespace: groups[1], Name: groups[2]})
}

// buildNames returns the object that was registered twice, and the file at which the build stopped.
func buildNames(message string) ([]Object, []string) {
	if found := decodeFailure.FindStringSubmatch(message); found != nil {
		return nil, storePath("/", found[1])
	}
	if !buildFailure.MatchString(message) {
		return nil, nil
	}
	var objects []Object
	// The name of a file could imitate the message, so two matches are ambiguous.
	if found := buildID.FindAllStringSubmatch(message, 2); len(found) == 1 {
		namespace := found[0][3]
		if namespace == "[noNs]" {
			namespace = ""
		}
		objects = sortedObjects(bounded(nil, []string{found[0][1], namespace, found[0][2]}))
	}
	var file string
	for _, found := range buildFile.FindAllStringSubmatch(message, MaxObjects) {
		// Each path is relative to the previous path.
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
