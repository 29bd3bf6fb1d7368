package kratix

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CheckExpressions returns an error if an expression is invalid.
func CheckExpressions(expressions []metav1.LabelSelectorRequirement) error {
	for _, e := range expressions {
		if err := checkExpression(e); err != nil {
			return err
		}
	}
	return nil
}

func checkExpression(e metav1.LabelSelectorRequirement) error {
	if e.Key == "" {
		return errors.New("an entry of matchExpressions has no key")
	}
	switch e.Operator {
	case metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn:
		if len(e.Values) == 0 {
			return fmt.Errorf("matchExpressions: %s %s needs values", e.Key, e.Operator)
		}
	case metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist:
		if len(e.Values) > 0 {
			return fmt.Errorf("matchExpressions: %s %s takes no values", e.Key, e.Operator)
		}
	default:
		return fmt.Errorf("matchExpressions: the operator %q of %s is not known: use In, NotIn, Exists or DoesNotExist", e.Operator, e.Key)
	}
	return nil
}
