package applycheck

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

const maxFaults = 10

// maxWords is the length in bytes to which messages are truncated.
const maxWords = 500

type fault struct {
	rule finding.Rule
	// object is the name of the object in messages. flux is its name in Flux's messages.
	object, flux string
	line         int
	// words are the message about the fault.
	words string
	// quoted is Flux's full message. It is empty if it is not known.
	quoted string
	// certain means that the API server refuses the object.
	certain bool
	// versioned means that the fault is certain only if the cluster's version is known.
	versioned bool
	// everywhere means that every API server refuses the object, in every cluster.
	everywhere bool
	// ratcheted means that the API server accepts the fault in an object that already has it.
	ratcheted bool
	fix       string
	cause     finding.Cause
	related   []finding.Related
}

func newFault(rule finding.Rule, o *objectFacts, line int, words string) fault {
	return fault{rule: rule, object: o.String(), flux: o.flux(), line: line, words: printable(words), certain: true}
}

func invalid(rule finding.Rule, o *objectFacts, line int, err *field.Error) fault {
	f := newFault(rule, o, line, err.Error())
	kind := o.Kind
	if o.Group != "" {
		kind += "." + o.Group
	}
	f.quoted = fmt.Sprintf("%s dry-run failed (Invalid): %s %q is invalid: %s", o.flux(), kind, o.name, f.words)
	return f
}

// printable returns a message in one line. It truncates a text of more than maxWords bytes.
func printable(words string) string {
	words = strings.Join(strings.Fields(words), " ")
	if len(words) > maxWords {
		words = strings.ToValidUTF8(words[:maxWords], "") + " ..."
	}
	return words
}

// isError reports whether the fault is an error in a cluster, and not a warning.
func (f *fault) isError(cluster *Cluster) bool {
	return f.rule.Severity == finding.Error && f.certain && (!f.versioned || cluster.Certain())
}

func (f *fault) reason() string {
	if f.rule.ID == finding.DefinitionRemoved().ID {
		return "objects of " + f.object + " remain"
	}
	return "the API server would refuse " + f.object
}

func (f *fault) finding(cluster *Cluster, file *dedupe.File) finding.Finding {
	place := file.Place
	place.Line = f.line
	found := finding.Finding{Rule: f.rule, Place: place, Message: f.object + ": " + f.words, Flux: f.quoted, Fix: f.fix, Cause: f.cause, Related: f.related}
	if found.Rule.Severity == finding.Error && !f.isError(cluster) {
		found.Rule.Severity = finding.Warning
		if f.versioned {
			found.Message += fmt.Sprintf(" (checked against Kubernetes %s, since the version of the Destination's cluster is not known)", cluster.Checked())
		}
	}
	return found
}
