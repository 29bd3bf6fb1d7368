package applycheck

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/applycheck/accept"
)

// defaultedFields are the names of fields that the API server or a controller may fill in.
var defaultedFields = map[string]bool{
	"allocationMode": true, "count": true, "limit": true, "terminationMessagePath": true, "terminationMessagePolicy": true, "imagePullPolicy": true,
	"restartPolicy": true, "dnsPolicy": true, "schedulerName": true, "terminationGracePeriodSeconds": true, "protocol": true, "defaultMode": true,
	"periodSeconds": true, "timeoutSeconds": true, "successThreshold": true, "failureThreshold": true, "scheme": true, "path": true, "service": true,
	"apiVersion": true, "serviceAccount": true, "serviceAccountName": true, "enableServiceLinks": true, "hostNetwork": true, "hostPort": true,
	"nodeName": true, "volumeName": true, "storageClassName": true, "volumeMode": true, "priority": true, "priorityClassName": true,
	"preemptionPolicy": true, "type": true, "divisor": true, "fsType": true, "nodeAffinityPolicy": true, "nodeTaintsPolicy": true, "mode": true,
	"cpu": true, "memory": true, "ephemeral-storage": true, "pool": true, "user": true, "keyring": true, "cachingMode": true, "kind": true, "readOnly": true,
	"podManagementPolicy": true, "targetPort": true, "iscsiInterface": true, "sessionAffinity": true, "level": true,
	"optional": true, "fieldRef": true, "recursiveReadOnly": true,
	"parallelism": true, "completions": true, "matchLabelKeys": true, "mismatchLabelKeys": true, "tolerations": true, "procMount": true,
	"resizePolicy": true, "host": true, "status": true, "creationTimestamp": true, "apiGroup": true, "add": true, "drop": true, "whenDeleted": true,
	"whenScaled": true, "mountPropagation": true, "priorityClass": true, "runtimeClassName": true, "overhead": true, "value": true,
	// These fields, or fields in them, depend on feature gates.
	"hostnameOverride": true, "restartPolicyRules": true, "podCertificate": true, "resources": true, "workloadRef": true, "hostUsers": true,
	"supplementalGroupsPolicy": true, "stopSignal": true, "image": true, "fileKeyRef": true, "clusterTrustBundle": true, "resourceClaims": true,
	"schedulingGroup": true, "schedulingGates": true, "claims": true, "seLinuxChangePolicy": true, "podReplacementPolicy": true,
	"backoffLimitPerIndex": true, "maxFailedIndexes": true, "successPolicy": true, "managedBy": true, "volumeAttributesClassName": true,
	"dataSource": true, "dataSourceRef": true,
}

// differs reports whether two forms of a field certainly differ for the API server. A missing value
// equals a zero value, and any value of a field in defaultedFields.
func differs(name string, a, b any) bool {
	if defaultedFields[name] && (isZero(a) || isZero(b)) {
		return false
	}
	x, isMap := a.(map[string]any)
	y, both := b.(map[string]any)
	if isMap && both || isMap && b == nil || both && a == nil {
		return mapsDiffer(x, y)
	}
	s, isList := a.([]any)
	t, bothLists := b.([]any)
	switch {
	case isList && bothLists:
		return !slices.EqualFunc(s, t, func(a, b any) bool { return !differs("", a, b) })
	case isZero(a) || isZero(b):
		return isZero(a) != isZero(b)
	}
	return !sameScalar(a, b)
}

func mapsDiffer(a, b map[string]any) bool {
	for key, value := range a {
		if differs(key, value, b[key]) {
			return true
		}
	}
	for key, value := range b {
		if _, both := a[key]; !both && differs(key, nil, value) {
			return true
		}
	}
	return false
}

func isZero(value any) bool { return value == nil || accept.IsEmpty(value) }

func without(fields map[string]any, keys ...string) map[string]any {
	copied := maps.Clone(fields)
	if copied == nil {
		copied = map[string]any{}
	}
	for _, key := range keys {
		delete(copied, key)
	}
	return copied
}
