package open

import (
	"fmt"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
)

func (s *Stores) openBucket(ref kratix.StateStoreReference, spec *kratix.BucketStateStore, secret *kratix.Secret) (statestore.Store, error) {
	config, err := bucketConfig(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	return s.buckets.open(ref, config, func() (statestore.Store, error) {
		config.Notify = s.Notify
		return bucket.Open(config)
	})
}

func bucketConfig(ref kratix.StateStoreReference, store *kratix.BucketStateStore, secret *kratix.Secret) (bucket.Config, error) {
	spec := store.Spec
	config := bucket.Config{
		Name: ref.String(), Endpoint: spec.Endpoint, Insecure: spec.Insecure, DualStack: spec.UseDualStack,
		Bucket: spec.BucketName, Path: spec.Path,
	}
	if err := kratix.CheckBucketName(spec.BucketName); err != nil {
		return config, Misconfigured(ref, "spec.bucketName", err.Error(), "Correct spec.bucketName.")
	}
	switch spec.AuthMethod {
	case "IAM":
		config.Auth.IAM = true
	case "", "accessKey":
	default:
		return config, Misconfigured(ref, "spec.authMethod", fmt.Sprintf("authMethod %q is not known", spec.AuthMethod), "Set spec.authMethod to accessKey or IAM.")
	}
	named := spec.SecretRef != nil && spec.SecretRef.Name != ""
	switch {
	case named && secret == nil:
		return config, Misconfigured(ref, "spec.secretRef", fmt.Sprintf("it names Secret %s, which is not in the input", spec.SecretRef.Key()),
			"Add the Secret, or correct spec.secretRef.")
	case named:
		return withSecret(ref, config, secret)
	case !config.Auth.IAM:
		return config, Misconfigured(ref, "spec.secretRef", "it names no Secret", "Set spec.secretRef to a Secret with the keys accessKeyID and secretAccessKey, or use authMethod IAM.")
	}
	return config, nil
}

// withSecret adds the values of a Secret to the configuration.
func withSecret(ref kratix.StateStoreReference, config bucket.Config, secret *kratix.Secret) (bucket.Config, error) {
	value := func(key string) string {
		text, _ := secret.Value(key)
		return strings.TrimSpace(text)
	}
	config.Region = value("region")
	if ca := value("ca.crt"); ca != "" {
		config.CABundle = []byte(ca)
	}
	if config.Auth.IAM {
		return config, nil
	}
	config.Auth.AccessKeyID, config.Auth.SecretAccessKey = value("accessKeyID"), value("secretAccessKey")
	for _, key := range []string{"accessKeyID", "secretAccessKey"} {
		if value(key) == "" {
			return config, Misconfigured(ref, "spec.secretRef", fmt.Sprintf("Secret %s has no key %s", kratix.KeyOf(secret), key),
				"Give the Secret that spec.secretRef names the keys accessKeyID and secretAccessKey.")
		}
	}
	return config, nil
}
