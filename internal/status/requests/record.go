package requests

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

// The states of a HealthRecord that this package writes.
const (
	stateHealthy   = "healthy"
	stateUnhealthy = "unhealthy"
	stateDegraded  = "degraded"
	stateUnknown   = "unknown"
)

type health struct {
	State   string  `json:"state"`
	Details details `json:"details"`
}

type details struct {
	Destinations []status.RequestDestination `json:"destinations"`
}

func recordTarget() target {
	return target{
		content: func(request status.Request) any {
			if wanted, known := healthOf(request.Status); known {
				return wanted
			}
			return nil
		},
		update: updateRecord, what: "the HealthRecord",
		grant: "If its requests are to have HealthRecords, grant get, create and patch on them to the ServiceAccount, as deploy/health-records does.",
	}
}

// healthOf returns the health of a request. known is false if no agent has reported the health of a
// placement.
func healthOf(s status.RequestStatus) (wanted health, known bool) {
	wanted.State = stateHealthy
	for _, d := range s.Destinations {
		known = known || d.Healthy != ""
		switch {
		case d.Healthy == report.False:
			wanted.State = stateUnhealthy
		case wanted.State == stateUnhealthy:
		case d.Applied == report.False: // objects that were applied before may still be healthy
			wanted.State = stateDegraded
		case d.Healthy != report.True && wanted.State != stateDegraded:
			wanted.State = stateUnknown
		}
		d.Path, d.Revision = "", ""
		wanted.Details.Destinations = append(wanted.Details.Destinations, d)
	}
	return wanted, known
}

type record struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Data              recordData `json:"data"`
}

type recordData struct {
	PromiseRef  recordPromise   `json:"promiseRef"`
	ResourceRef recordRequest   `json:"resourceRef"`
	State       string          `json:"state"`
	LastRun     int64           `json:"lastRun,omitempty"`
	Details     json.RawMessage `json:"details,omitempty"`
}

type recordPromise struct {
	Name string `json:"name"`
}

type recordRequest struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// recordName returns the name of the HealthRecord of a request. A digest limits its length.
func recordName(request status.Request) string {
	sum := sha256.Sum256([]byte(request.Promise + "/" + request.Key.Name))
	return "kratix-schedule-" + hex.EncodeToString(sum[:8])
}

// recordOf returns the HealthRecord of a request. The Works of the request own it, so that it is
// deleted with the last of them.
func recordOf(request status.Request, wanted health, lastRun int64) (record, error) {
	text, err := json.Marshal(wanted.Details)
	made := record{
		TypeMeta:   metav1.TypeMeta{APIVersion: kratix.APIVersion, Kind: "HealthRecord"},
		ObjectMeta: metav1.ObjectMeta{Namespace: request.Key.Namespace, Name: recordName(request)},
		Data: recordData{
			PromiseRef: recordPromise{request.Promise}, ResourceRef: recordRequest{Name: request.Key.Name, Namespace: request.Key.Namespace},
			State: wanted.State, LastRun: lastRun, Details: text,
		},
	}
	for _, work := range request.Works {
		made.OwnerReferences = append(made.OwnerReferences, metav1.OwnerReference{APIVersion: kratix.APIVersion, Kind: kratix.WorkKind, Name: work.Name, UID: work.UID})
	}
	return made, err
}

// errLeaving means that a HealthRecord with the same name is being deleted.
var errLeaving = errors.New("the HealthRecord of the same name is being deleted")

// updateRecord creates the HealthRecord of a request, or patches it if it differs.
func updateRecord(ctx context.Context, w *Writer, t *task) (result, error) {
	wanted, _ := healthOf(t.Status)
	want, err := recordOf(t.Request, wanted, w.now().Unix())
	if err != nil {
		return unchanged, err
	}
	body, err := json.Marshal(want)
	if err != nil {
		return unchanged, err
	}
	records := []string{"/apis", kratix.APIVersion, "namespaces", want.Namespace, "healthrecords"}
	text, err := call(ctx, w.client.Get().AbsPath(append(records, want.Name)...))
	switch {
	case isGone(err, want.Name):
		_, err = call(ctx, w.client.Post().AbsPath(records...).SetHeader("Content-Type", runtime.ContentTypeJSON).Body(body))
		return writtenRecord(err)
	case apierrors.IsNotFound(err):
		return unchanged, fmt.Errorf("%w: %w", errNoAPI, err)
	case err != nil:
		return unchanged, granted(err)
	}
	var have record
	if err := json.Unmarshal(text, &have); err != nil {
		return unchanged, err
	}
	switch {
	case !have.DeletionTimestamp.IsZero():
		return unchanged, errLeaving
	case isEqualRecord(have, want):
		return unchanged, nil
	}
	_, err = call(ctx, w.client.Patch(types.MergePatchType).AbsPath(append(records, want.Name)...).SetHeader("Content-Type", string(types.MergePatchType)).Body(body))
	return writtenRecord(err)
}

// isEqualRecord reports whether two HealthRecords are equal apart from the time of the last run.
func isEqualRecord(have, want record) bool {
	var before, after any
	if json.Unmarshal(have.Data.Details, &before) != nil || json.Unmarshal(want.Data.Details, &after) != nil {
		return false
	}
	have.Data.Details, want.Data.Details = nil, nil
	have.Data.LastRun, want.Data.LastRun = 0, 0
	return reflect.DeepEqual(before, after) && reflect.DeepEqual(have.Data, want.Data) && reflect.DeepEqual(have.OwnerReferences, want.OwnerReferences)
}

func writtenRecord(err error) (result, error) {
	if err != nil {
		return unchanged, granted(err)
	}
	return patched, nil
}

// granted returns err, wrapped with errNotGranted if a permission is missing.
func granted(err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("%w: %w", errNotGranted, err)
	}
	return err
}
