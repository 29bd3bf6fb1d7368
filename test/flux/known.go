package flux

import (
	"regexp"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

type difference struct {
	name, reason string
	same         func(ours, theirs string) bool
}

var address = regexp.MustCompile(`0x[0-9a-f]+`)

var quoted = regexp.MustCompile("`[^`]*`")

// absent and empty match messages of kustomize about a directory that it cannot load.
var (
	absent = []*regexp.Regexp{
		regexp.MustCompile(`^(.*): open ([^:]*): no such file or directory': must build at directory: not a valid directory: evalsymlink failure on '[^']*' : lstat [^:]*: no such file or directory$`),
		regexp.MustCompile(`^(.*accumulating components): loader\.New "must build at directory: not a valid directory: evalsymlink failure on '([^']*)' : lstat [^:]*: no such file or directory"$`),
	}
	empty = []*regexp.Regexp{
		regexp.MustCompile(`^(.*): read ([^:]*): is a directory': couldn't make target for path '[^']*': unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '[^']*'$`),
		regexp.MustCompile(`^(.*accumulating components): accumulateDirectory: "couldn't make target for path '([^']*)': unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '[^']*'"$`),
	}
)

// known are the permitted differences between messages.
var known = []difference{
	{
		name: "address", reason: "kustomize lets an address in its memory into the message, which is another one each time",
		same: func(ours, theirs string) bool {
			return address.ReplaceAllString(ours, "") == address.ReplaceAllString(theirs, "")
		},
	},
	{
		name: "secret", reason: "Flux quotes all of an object that it cannot write out; what is in a Secret is not for a report",
		same: func(ours, theirs string) bool {
			before, after, found := strings.Cut(ours, kustomize.SecretContent)
			return found && strings.HasPrefix(theirs, before) && strings.HasSuffix(quoted.ReplaceAllString(theirs, "`...`"), after)
		},
	},
	{
		name: "secret value", reason: "a value in a Secret that is not of the type its tag names is not for a report",
		same: func(ours, theirs string) bool {
			return strings.Contains(ours, "`...`") && ours == quoted.ReplaceAllString(theirs, "`...`")
		},
	},
	{
		name: "empty directory", reason: "a directory without files that Flux fetches is empty for Flux and absent for us; a kustomization that loads it fails either way",
		same: func(ours, theirs string) bool {
			for form := range absent {
				before, after := absent[form].FindStringSubmatch(ours), empty[form].FindStringSubmatch(theirs)
				if before != nil && after != nil && before[1] == after[1] && before[2] == after[2] {
					return true
				}
			}
			return false
		},
	},
}

func same(ours, theirs string) bool {
	if ours == theirs {
		return true
	}
	for _, d := range known {
		if d.same(ours, theirs) {
			return true
		}
	}
	return false
}
