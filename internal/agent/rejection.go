package agent

// Name is the name of an agent.
type Name string

// The agents.
const (
	Flux   Name = "flux"
	ArgoCD Name = "argocd"
)

// The paths at which events are received.
const (
	FluxPath   = "/api/v1/events/flux"
	ArgoCDPath = "/api/v1/events/argocd"
)

// Names returns all agents.
func Names() []Name { return []Name{Flux, ArgoCD} }

// Rejection is the reason why an event is rejected.
type Rejection string

// The rejections.
const (
	// Off: the process has no secret to check events with.
	Off Rejection = "off"
	// NoSecret: the secret cannot be read.
	NoSecret Rejection = "no_secret"
	// Unauthorized: the event is neither signed with the secret nor has it as a token.
	Unauthorized Rejection = "unauthorized"
	// TooLarge: the body is too large.
	TooLarge Rejection = "too_large"
	// Unreadable: the client did not send all of the body.
	Unreadable Rejection = "unreadable"
	// Malformed: the body is not an event.
	Malformed Rejection = "malformed"
	// TooOld: the event is older than an hour.
	TooOld Rejection = "too_old"
	// TooNew: the time of the event is in the future.
	TooNew Rejection = "too_new"
	// UnknownDestination: there is no such Destination.
	UnknownDestination Rejection = "unknown_destination"
	// NotReady: the Destinations are not known yet.
	NotReady Rejection = "not_ready"
)

// Rejections returns all reasons.
func Rejections() []Rejection {
	return []Rejection{Off, NoSecret, Unauthorized, TooLarge, Unreadable, Malformed, TooOld, TooNew, UnknownDestination, NotReady}
}

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{None, Progressing, Applied, Healthy, BuildFailed, ApplyFailed, HealthFailed, PruneFailed}
}
