package agent

// Name is the name of an agent.
type Name string

// The values of Name.
const (
	Flux   Name = "flux"
	ArgoCD Name = "argocd"
)

// The paths at which events are received.
const (
	FluxPath   = "/api/v1/events/flux"
	ArgoCDPath = "/api/v1/events/argocd"
)

// Names returns the names of all agents.
func Names() []Name { return []Name{Flux, ArgoCD} }

// Rejection is the reason why an event is rejected.
type Rejection string

// The values of Rejection.
const (
	// Off means that the process has no secret for events.
	Off Rejection = "off"
	// NoSecret means that the secret cannot be read.
	NoSecret Rejection = "no_secret"
	// Unauthorized means that the event has no valid credentials.
	Unauthorized Rejection = "unauthorized"
	// TooLarge means that the body is too large.
	TooLarge Rejection = "too_large"
	// Unreadable means that the body could not be read.
	Unreadable Rejection = "unreadable"
	// Malformed means that the body is not an event.
	Malformed Rejection = "malformed"
	// TooOld means that the event is older than receive.MaxAge.
	TooOld Rejection = "too_old"
	// TooNew means that the event is further in the future than receive.MaxAhead.
	TooNew Rejection = "too_new"
	// UnknownDestination means that the Destination does not exist.
	UnknownDestination Rejection = "unknown_destination"
	// NotReady means that the Destinations are not known yet.
	NotReady Rejection = "not_ready"
)

// Rejections returns all values of Rejection.
func Rejections() []Rejection {
	return []Rejection{Off, NoSecret, Unauthorized, TooLarge, Unreadable, Malformed, TooOld, TooNew, UnknownDestination, NotReady}
}

// Outcomes returns all values of Outcome.
func Outcomes() []Outcome {
	return []Outcome{None, Progressing, Applied, Healthy, BuildFailed, ApplyFailed, HealthFailed, PruneFailed}
}
