package kratix

import "testing"

func TestStoresOfOnePlaceHaveOneLocation(t *testing.T) {
	git := func(url, branch string) string {
		return (&GitStateStore{Spec: GitStateStoreSpec{URL: url, Branch: branch}}).Location().Place
	}
	const repository = "https://git.example.com/team/state"
	for _, same := range []string{
		"https://git.example.com/team/state.git", "https://git.example.com/team/state/", "https://Git.Example.com:443/team/state",
		"https://user:password@git.example.com/team//state.git", "git@git.example.com:team/state.git", "ssh://git@git.example.com:22/team/state",
	} {
		if git(same, "main") != git(repository, "") {
			t.Errorf("%s is %s, not %s", same, git(same, "main"), git(repository, ""))
		}
	}
	for _, other := range []string{
		"https://git.example.com:8443/team/state", "https://git.example.com/team/other", "https://example.com/team/state", "/team/state", "",
	} {
		if git(other, "main") == git(repository, "main") {
			t.Errorf("%s is taken for %s", other, repository)
		}
	}
	if git(repository, "dev") == git(repository, "main") {
		t.Error("two branches are taken for one")
	}
	if git("file:///srv/state.git", "") != git("/srv/state", "") || git("file://./state.git", "") != git("./state.git", "") {
		t.Error("a file URL is not its path")
	}
	bucket := func(endpoint, name string) string {
		return (&BucketStateStore{Spec: BucketStateStoreSpec{Endpoint: endpoint, BucketName: name}}).Location().Place
	}
	if bucket("S3.example.com", "a") != bucket("s3.example.com", "a") || bucket("s3.example.com", "a") == bucket("s3.example.com", "b") {
		t.Error("buckets are mixed up")
	}
	plain := BucketStateStore{Spec: BucketStateStoreSpec{Endpoint: "s3.example.com:80", BucketName: "a", Insecure: true}}
	if bucket("s3.example.com:443", "a") != bucket("s3.example.com", "a") || plain.Location().Place != bucket("s3.example.com", "a") {
		t.Error("a default port makes another place")
	}
	if bucket("s3.example.com:80", "a") == bucket("s3.example.com", "a") || bucket("s3.example.com:9443", "a") == bucket("s3.example.com", "a") {
		t.Error("two ports are one place")
	}
}
