package open

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestBucketConfig(t *testing.T) {
	ref := kratix.StateStoreReference{Kind: kratix.BucketStateStoreKind, Name: "default"}
	secret := &kratix.Secret{StringData: map[string]string{
		"accessKeyID": " key\n", "secretAccessKey": "s3cret\n", "region": "eu-west-1", "ca.crt": "PEM",
	}}
	named := kratix.BucketStateStoreSpec{BucketName: "bucket", Endpoint: "e", SecretRef: &kratix.SecretReference{Name: "keys"}}
	for name, c := range map[string]struct {
		change func(*kratix.BucketStateStoreSpec)
		secret *kratix.Secret
		want   string
	}{
		"complete":             {func(*kratix.BucketStateStoreSpec) {}, secret, ""},
		"IAM without a Secret": {func(s *kratix.BucketStateStoreSpec) { s.AuthMethod, s.SecretRef = "IAM", nil }, nil, ""},
		"another method":       {func(s *kratix.BucketStateStoreSpec) { s.AuthMethod = "iam" }, secret, `authMethod "iam" is not known`},
		"no Secret":            {func(s *kratix.BucketStateStoreSpec) { s.SecretRef = nil }, nil, "it names no Secret"},
		"a missing Secret":     {func(*kratix.BucketStateStoreSpec) {}, nil, "names Secret default/keys, which is not in the input"},
		"an empty Secret":      {func(*kratix.BucketStateStoreSpec) {}, &kratix.Secret{}, "has no key accessKeyID"},
	} {
		store := &kratix.BucketStateStore{Spec: named}
		c.change(&store.Spec)
		config, err := bucketConfig(ref, store, c.secret)
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		case name == "complete" && (config.Auth.AccessKeyID != "key" || config.Auth.SecretAccessKey != "s3cret" || config.Region != "eu-west-1" || string(config.CABundle) != "PEM"):
			t.Errorf("%s: the Secret's values were not taken", name)
		}
	}
}

func TestBucketStaysOpenWhileItsSettingsAreEqual(t *testing.T) {
	ref := kratix.StateStoreReference{Kind: kratix.BucketStateStoreKind, Name: "default"}
	store := &kratix.BucketStateStore{Spec: kratix.BucketStateStoreSpec{BucketName: "bucket", Endpoint: "e", AuthMethod: "IAM"}}
	stores := &Stores{}
	first, err := stores.Open(ref, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := stores.Open(ref, store, nil); err != nil || again != first {
		t.Errorf("opened again: %v", err)
	}
	store.Spec.BucketName = "other"
	if other, err := stores.Open(ref, store, nil); err != nil || other == first {
		t.Errorf("another bucket is the same store: %v", err)
	}
}
