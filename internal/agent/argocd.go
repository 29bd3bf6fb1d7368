package agent

import (
	"encoding/json"
	"regexp"
	"time"
)

// argoEvent is the body of an event that the template of `agent argocd` renders.
type argoEvent struct {
	Destination string    `json:"destination"`
	Root        string    `json:"root"`
	Time        time.Time `json:"time"`
	Sync        struct {
		Status   string `json:"status"`
		Revision string `json:"revision"`
	} `json:"sync"`
	Health struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	} `json:"health"`
	Operation struct {
		Phase    string `json:"phase"`
		Revision string `json:"revision"`
		Message  string `json:"message"`
		// Retrying means that the sync has failed and will be retried.
		Retrying bool         `json:"retrying"`
		Failed   []argoObject `json:"failed"`
	} `json:"operation"`
	Conditions []struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"conditions"`
	// Unhealthy are objects whose health is Degraded.
	Unhealthy []argoObject `json:"unhealthy"`
}

type argoObject struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Message   string `json:"message"`
}

// ParseArgoCD parses an event that the template of `agent argocd` renders. It returns an error for
// a malformed event.
func ParseArgoCD(body []byte) (Event, error) {
	var sent argoEvent
	if err := json.Unmarshal(body, &sent); err != nil {
		return Event{}, malformed("the body is no JSON of the template that agent argocd prints")
	}
	event := Event{Destination: sent.Destination, Root: sent.Root, Time: sent.Time}
	if err := event.checkTarget("the template that agent argocd prints"); err != nil {
		return Event{}, err
	}
	if sent.Time.IsZero() {
		return Event{}, malformed("it has no time")
	}
	sent.result(&event)
	event.Message = cleanMessage(event.Message)
	return event, nil
}

// isFailed reports whether the last sync has failed, even if it will be retried.
func (e *argoEvent) isFailed() bool {
	return e.Operation.Phase == "Failed" || e.Operation.Phase == "Error" || e.Operation.Phase == "Running" && e.Operation.Retrying
}

func (e *argoEvent) result(event *Event) {
	switch {
	case e.Sync.Status == "Synced":
		e.synced(event)
	case e.isFailed():
		event.Outcome, event.Revision, event.Message = ApplyFailed, argoRevision(e.Operation.Revision), e.Operation.Message
		event.Objects = argoObjects(e.Operation.Failed)
		if argoBuild.MatchString(e.Operation.Message) {
			event.Outcome = BuildFailed
		}
	case e.Sync.Status == "Unknown" && len(e.Conditions) > 0:
		event.Outcome, event.Revision = BuildFailed, argoRevision(e.Sync.Revision)
		for _, condition := range e.Conditions {
			event.Message += condition.Type + ": " + condition.Message + "\n"
		}
	default:
		event.Outcome, event.Revision, event.Message = Progressing, argoRevision(e.Sync.Revision), e.Operation.Message
	}
}

func (e *argoEvent) synced(event *Event) {
	event.Revision = argoRevision(e.Sync.Revision)
	switch {
	case e.isFailed() && e.Operation.Revision == e.Sync.Revision:
		// All objects are applied, so a hook has failed.
		event.Outcome, event.Message, event.Objects = HealthFailed, e.Operation.Message, argoObjects(e.Operation.Failed)
	case e.Health.Status == "Degraded":
		event.Outcome, event.Message, event.Objects = HealthFailed, "health is Degraded", argoObjects(e.Unhealthy)
		if e.Health.Message != "" {
			event.Message += ": " + e.Health.Message
		}
		for _, object := range e.Unhealthy {
			if object.Message != "" {
				event.Message += "\n" + object.object().String() + ": " + object.Message
			}
		}
	case e.Health.Status == "Healthy":
		event.Outcome, event.Message = Healthy, "Synced and Healthy"
	default:
		event.Outcome, event.Message = Applied, "Synced; health is "+e.Health.Status
	}
}

// argoBuild matches the message of a sync that failed because Argo CD could not render the files.
var argoBuild = regexp.MustCompile(`^ComparisonError: Failed to load target state: `)

var argoCommit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// argoRevision returns the revision if it is a commit, and "" otherwise.
func argoRevision(text string) string {
	if !argoCommit.MatchString(text) {
		return ""
	}
	return text
}

func (o argoObject) object() Object {
	return Object{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

func argoObjects(sent []argoObject) []Object {
	var objects []Object
	for _, one := range sent {
		named := one.object()
		found := objectText.FindStringSubmatch(named.String())
		if found != nil && found[1] == named.Kind && found[2] == named.Namespace && found[3] == named.Name {
			objects = bounded(objects, found[1:])
		}
	}
	return sortedObjects(objects)
}

var objectText = regexp.MustCompile(`^` + object + `$`)
