package kratixlike

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func isTrue(kind, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: message}
}

func isFalse(kind, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: reason, Message: message}
}

func set(have []metav1.Condition, conditions ...metav1.Condition) ([]metav1.Condition, bool) {
	want := append([]metav1.Condition{}, have...)
	for _, condition := range conditions {
		meta.SetStatusCondition(&want, condition)
	}
	return want, !equality.Semantic.DeepEqual(have, want)
}
