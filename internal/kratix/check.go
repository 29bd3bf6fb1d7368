package kratix

import (
	"errors"
	"fmt"
)

// Check returns an error if an object is incomplete or invalid.
func Check(o Object) error {
	if o.GetName() == "" {
		return errors.New("metadata.name is missing")
	}
	switch o := o.(type) {
	case *Work:
		return checkWork(o)
	case *Destination:
		if o.Spec.StateStoreRef == nil || o.Spec.StateStoreRef.Name == "" {
			return errors.New("spec.stateStoreRef is missing: name the state store to write to")
		}
	case *GitStateStore:
		if o.Spec.URL == "" {
			return errors.New("spec.url is missing")
		}
	case *OCIStateStore:
		if _, _, err := ParseOCIURL(o.Spec.URL); err != nil {
			return fmt.Errorf("spec.url: %w", err)
		}
	case *BucketStateStore:
		if o.Spec.BucketName == "" || o.Spec.Endpoint == "" {
			return errors.New("spec.bucketName and spec.endpoint must be set")
		}
	}
	return nil
}

func checkWork(w *Work) error {
	if w.Spec.PromiseName == "" {
		return errors.New("spec.promiseName is missing")
	}
	seen := map[string]bool{}
	for _, group := range w.Spec.WorkloadGroups {
		switch {
		case group.ID == "":
			return errors.New("a workload group has no id")
		case seen[ShortID(group.ID)]:
			return errors.New("two workload groups have an id that starts with " + ShortID(group.ID) + "; they would share a path")
		}
		seen[ShortID(group.ID)] = true
		for _, selector := range group.DestinationSelectors {
			if err := CheckExpressions(selector.MatchExpressions); err != nil {
				return fmt.Errorf("the destinationSelectors of the group %q: %w", group.Directory, err)
			}
		}
	}
	return nil
}
