// Package admission checks whether the admission policy of deploy/schedule is in force. It changes
// nothing, because its writes are dry runs.
package admission

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kubeclient"
)

// ServiceAccount is the namespace and name of a ServiceAccount.
type ServiceAccount struct{ Namespace, Name string }

// Kratix returns the default ServiceAccount of Kratix's controller.
func Kratix() ServiceAccount {
	return ServiceAccount{Namespace: "kratix-platform-system", Name: "kratix-platform-controller-manager"}
}

// ParseServiceAccount parses "NAMESPACE/NAME". It returns an error if a part is invalid.
func ParseServiceAccount(text string) (ServiceAccount, error) {
	namespace, name, _ := strings.Cut(text, "/")
	account := ServiceAccount{Namespace: namespace, Name: name}
	return account, account.validate()
}

func (a ServiceAccount) validate() error {
	if a.Namespace == "" || a.Name == "" || strings.ContainsAny(a.Namespace+a.Name, "/:'\"\\ ") {
		return fmt.Errorf("%q is not a ServiceAccount: write NAMESPACE/NAME", a.String())
	}
	return nil
}

// String returns "NAMESPACE/NAME".
func (a ServiceAccount) String() string { return a.Namespace + "/" + a.Name }

// Username returns the user name of the ServiceAccount at the API server.
func (a ServiceAccount) Username() string {
	return "system:serviceaccount:" + a.Namespace + ":" + a.Name
}

// State is the result of a check.
type State string

// The values of State.
const (
	// InForce means that the ServiceAccount cannot place Works.
	InForce State = "InForce"
	// NotInForce means that the ServiceAccount may be able to place Works.
	NotInForce State = "NotInForce"
	// DeniesSelf means that an admission policy or webhook keeps this process from creating
	// WorkPlacements.
	DeniesSelf State = "DeniesSelf"
	// Unknown means that the check was impossible or inconclusive.
	Unknown State = "Unknown"
)

// Verdict is the result of a check, with its cause.
type Verdict struct {
	State State
	// Reason is the cause in one word, one of the Reason constants.
	Reason string
	// Object is the object that causes the state, as "Kind name", or empty if there is none.
	Object  string
	Message string
	// Fix is the advice to the user. It is empty if the policy is in force.
	Fix string
}

// The values of Verdict.Reason.
const (
	// ReasonDenied means that the API server denied a request of the ServiceAccount in a dry run.
	ReasonDenied = "DeniedInDryRun"
	// ReasonAsShipped means that a policy like the shipped policy is enforced.
	ReasonAsShipped = "PolicyAsShipped"

	ReasonPolicyMissing       = "PolicyMissing"
	ReasonPolicyDiffers       = "PolicyDiffers"
	ReasonOtherServiceAccount = "OtherServiceAccount"
	ReasonBindingMissing      = "BindingMissing"
	ReasonBindingDiffers      = "BindingDiffers"
	ReasonNotDenied           = "BindingDoesNotDeny"
	// ReasonNotEnforced means that the API server allowed a request in a dry run, and that the
	// policies and bindings do not explain this.
	ReasonNotEnforced = "PolicyNotEnforced"
	// ReasonUnsupported means that the API server has no ValidatingAdmissionPolicies.
	ReasonUnsupported = "PoliciesUnsupported"

	ReasonDeniesSelf = "DeniesSelf"

	// ReasonCannotPlace means that no role of the ServiceAccount allows it to place Works.
	ReasonCannotPlace = "ServiceAccountCannotPlace"
	// ReasonPartlyTried means that creating WorkPlacements is denied, and that it is not known
	// whether changing them is denied.
	ReasonPartlyTried    = "ChangesNotTried"
	ReasonForbidden      = "Forbidden"
	ReasonAPIUnavailable = "APIUnavailable"
)

// String returns the verdict as a line of text.
func (v Verdict) String() string {
	if v.Fix == "" {
		return v.Message
	}
	return v.Message + "; " + v.Fix
}

const (
	fixApply   = "run kubectl apply -k deploy/schedule, or helm upgrade with mode=schedule and admissionPolicy.create=true"
	fixActions = "run kubectl apply -k deploy/schedule, or helm upgrade with admissionPolicy.validationActions={Deny}"
	fixAccount = "name the ServiceAccount of Kratix's controller with --kratix-service-account and in the policy, or in Helm's kratix.serviceAccount"
	fixRole    = "let this process list validatingadmissionpolicies and validatingadmissionpolicybindings, as the role in deploy/schedule does"
)

// Check checks whether the policy is in force for one ServiceAccount.
type Check struct {
	account ServiceAccount
	// self sends requests as this process, and other sends them as the ServiceAccount.
	self, other rest.Interface
	timeout     time.Duration
}

const timeout = 10 * time.Second

// New returns a Check for the ServiceAccount, in the cluster of config.
func New(config *rest.Config, account ServiceAccount) (*Check, error) {
	if err := account.validate(); err != nil {
		return nil, err
	}
	self, err := kubeclient.New(config)
	if err != nil {
		return nil, err
	}
	impersonating := rest.CopyConfig(config)
	impersonating.Impersonate = rest.ImpersonationConfig{UserName: account.Username()}
	other, err := kubeclient.New(impersonating)
	if err != nil {
		return nil, err
	}
	return &Check{account: account, self: self, other: other, timeout: timeout}, nil
}

// InForce checks whether the policy is in force now, with dry runs and by reading the policies and
// bindings. It takes at most ten seconds.
func (c *Check) InForce(ctx context.Context) Verdict {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if own := c.create(ctx, c.self); own.is == denied {
		return Verdict{
			State: DeniesSelf, Reason: ReasonDeniesSelf,
			Message: "this process may not create WorkPlacements: " + own.message,
			Fix:     "except its ServiceAccount from that policy, or name Kratix's own with --kratix-service-account or Helm's kratix.serviceAccount",
		}
	} else if own.is == unanswered {
		return unavailable(own.message)
	}
	create := c.create(ctx, c.other)
	if create.is == unentitled {
		return Verdict{
			State: Unknown, Reason: ReasonCannotPlace, Object: "ServiceAccount " + c.account.String(),
			Message: "the roles of ServiceAccount " + c.account.String() + " do not let it create WorkPlacements, so it cannot be Kratix's: " + create.message,
			Fix:     fixAccount,
		}
	}
	change := answer{}
	if create.is == denied {
		change = c.change(ctx)
	}
	if change.is == denied {
		return Verdict{
			State: InForce, Reason: ReasonDenied,
			Message: "the API server does not let ServiceAccount " + c.account.String() + " create WorkPlacements or change their spec: " + create.message,
		}
	}
	return combine(c.read(ctx), create, change, c.account)
}

// combine returns the verdict of a check. read is the verdict on the policies and bindings. create
// and change are the results of the dry runs.
func combine(read Verdict, create, change answer, account ServiceAccount) Verdict {
	what := "create WorkPlacements"
	if change.is == allowed {
		what = "change the spec of WorkPlacements"
	}
	switch {
	case create.is != allowed && create.is != denied:
		return read
	case create.is == denied && change.is != allowed && read.State == InForce:
		read.Reason = ReasonDenied
		read.Message = "the API server does not let ServiceAccount " + account.String() + " create WorkPlacements: " + create.message
		return read
	case create.is == denied && change.is != allowed:
		return Verdict{
			State: Unknown, Reason: ReasonPartlyTried, Object: read.Object,
			Message: "ServiceAccount " + account.String() + " may not create WorkPlacements (" + create.message +
				"), but it is not known whether it may change their spec: " + read.Message,
			Fix: read.Fix,
		}
	case read.State == NotInForce:
		read.Message = "ServiceAccount " + account.String() + " can " + what + ": " + read.Message
		return read
	}
	return Verdict{
		State: NotInForce, Reason: ReasonNotEnforced, Object: read.Object,
		Message: "the API server lets ServiceAccount " + account.String() + " " + what + ", though: " + read.Message,
		Fix:     "wait a few seconds if the policy is new; else look for its name in the log of the API server",
	}
}

func (c *Check) read(ctx context.Context) Verdict {
	policies, err := list[policy](ctx, c.self, "validatingadmissionpolicies")
	if err != nil {
		return unread(err)
	}
	bindings, err := list[binding](ctx, c.self, "validatingadmissionpolicybindings")
	if err != nil {
		return unread(err)
	}
	return compare(policies, bindings, c.account)
}

func unread(err error) Verdict {
	switch {
	case apierrors.IsNotFound(err):
		return Verdict{
			State: NotInForce, Reason: ReasonUnsupported,
			Message: "the API server has no ValidatingAdmissionPolicies: " + err.Error(),
			Fix:     "use Kubernetes 1.30 or newer",
		}
	case apierrors.IsForbidden(err):
		return Verdict{State: Unknown, Reason: ReasonForbidden, Message: "the policy cannot be read: " + err.Error(), Fix: fixRole}
	}
	return unavailable(err.Error())
}

func unavailable(words string) Verdict {
	return Verdict{
		State: Unknown, Reason: ReasonAPIUnavailable,
		Message: "the API server cannot be asked whether the policy is in force: " + words,
		Fix:     "see that it answers",
	}
}

// isAnswer reports whether an error is a decision of the API server about a request, and not a
// temporary failure.
func isAnswer(err error) bool {
	status := (*apierrors.StatusError)(nil)
	return errors.As(err, &status) && status.ErrStatus.Code != 0 && !apierrors.IsTimeout(err) && !apierrors.IsServerTimeout(err) &&
		!apierrors.IsServiceUnavailable(err) && !apierrors.IsTooManyRequests(err) && !apierrors.IsInternalError(err) && !apierrors.IsUnauthorized(err)
}
