package kube_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

func TestOnlySecretsOfStoresAreRead(t *testing.T) {
	a := newPlatform(t)
	s := follow(t, a)
	waitForContent(t, s, whole...)
	eventually(t, func() string {
		if a.watching("watch secrets default/git") != 1 {
			return "the Secret is not watched"
		}
		return ""
	})
	a.put("gitstatestores", storeJSON("other"))
	waitForContent(t, s, "Work default/a", "Destination worker-1", "GitStateStore default", "Secret default/other", "existing WorkPlacement default/a")
	eventually(t, func() string {
		if a.watching("watch secrets default/git") != 0 || a.watching("watch secrets default/other") != 1 {
			return "another Secret is watched than the store names"
		}
		return ""
	})
	for _, asked := range a.requests() {
		if verb, of, _ := strings.Cut(asked, " secrets"); verb != asked && of != " default/git" && of != " default/other" {
			t.Errorf("asked for Secrets that no store names: %s", asked)
		}
	}
}

func TestNoSecretIsReadWithNoSecrets(t *testing.T) {
	a := newPlatform(t)
	a.set(func(a *api) {
		a.refused["watch secrets"], a.refused["list secrets"] = http.StatusForbidden, http.StatusForbidden
	})
	s, err := kube.New(a.config(), kube.Options{NoSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Follow(t.Context())
	waitForContent(t, s, slices.DeleteFunc(slices.Clone(whole), func(o string) bool { return o == "Secret default/git" })...)
	if i := slices.IndexFunc(a.requests(), func(asked string) bool { return strings.Contains(asked, " secrets") }); i >= 0 {
		t.Errorf("asked %q", a.requests()[i])
	}
}

func TestNoSecretIsReadOfAStoreThatIsNotOpened(t *testing.T) {
	a := newPlatform(t)
	a.set(func(a *api) {
		a.refused["watch secrets"], a.refused["list secrets"] = http.StatusForbidden, http.StatusForbidden
	})
	opened := make(chan []string, 1)
	s, err := kube.New(a.config(), kube.Options{Opens: func(objects []kratix.Object) []kratix.Object {
		var names []string
		for _, o := range objects {
			names = append(names, kratix.Describe(o))
		}
		slices.Sort(names)
		select {
		case opened <- names:
		default: // the channel is full; the calls so far are enough for the test
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Follow(t.Context())
	waitForContent(t, s, slices.DeleteFunc(slices.Clone(whole), func(o string) bool { return o == "Secret default/git" })...)
	if i := slices.IndexFunc(a.requests(), func(asked string) bool { return strings.Contains(asked, " secrets") }); i >= 0 {
		t.Errorf("asked %q", a.requests()[i])
	}
	if names := <-opened; !slices.Equal(names, []string{"Destination worker-1", "GitStateStore default"}) {
		t.Errorf("it is asked about %v", names)
	}
}

func TestSecrets(t *testing.T) {
	unreadable := "UnreadableInput Secret default/git: follow secrets: watch secrets default/git is refused by the test"
	without := slices.DeleteFunc(slices.Clone(whole), func(o string) bool { return o == "Secret default/git" })
	refuse := func(a *api, code int) {
		a.set(func(a *api) { a.refused["watch secrets"], a.refused["list secrets"] = code, code })
		a.endWatches()
	}
	t.Run("a missing Secret is no finding, since its store has one", func(t *testing.T) {
		a := newPlatform(t)
		a.remove("secrets", "default/git")
		s := follow(t, a)
		waitForContent(t, s, without...)
		a.put("secrets", secretJSON("git", "b25l"))
		waitForContent(t, s, whole...)
		a.remove("secrets", "default/git")
		waitForContent(t, s, without...)
	})
	t.Run("a Secret that may not be read is a finding", func(t *testing.T) {
		a := newPlatform(t)
		refuse(a, http.StatusForbidden)
		s := follow(t, a)
		waitForContent(t, s, append(slices.Clone(without), unreadable)...)
		a.set(func(a *api) { clear(a.refused) })
		waitForContent(t, s, whole...)
	})
	t.Run("an invalid Secret is a finding", func(t *testing.T) {
		a := newPlatform(t)
		a.put("secrets", `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"git","namespace":"default"},"data":"none"}`)
		s := follow(t, a)
		waitForContent(t, s, append(slices.Clone(without), "UnreadableInput Secret default/git: data cannot be a string")...)
	})
	t.Run("the last version counts while the API does not answer", func(t *testing.T) {
		a := newPlatform(t)
		s := follow(t, a)
		waitForContent(t, s, whole...)
		refuse(a, http.StatusServiceUnavailable)
		waitForContent(t, s, whole...)
	})
	t.Run("a changed Secret requests a round and has its new value", func(t *testing.T) {
		a := newPlatform(t)
		s := follow(t, a)
		changes := quiescent(t, s)
		before := snapshot(t, s).Secrets[0]
		if snapshot(t, s).Secrets[0] != before {
			t.Error("a round would not recognize it")
		}
		a.put("secrets", secretJSON("git", "bmV3"))
		expectWord(t, changes)
		if got := string(snapshot(t, s).Secrets[0].Data["password"]); got != "new" {
			t.Errorf("the password is %q", got)
		}
	})
	t.Run("no snapshot reads a Secret from the API", func(t *testing.T) {
		a := newPlatform(t)
		s := follow(t, a)
		waitForContent(t, s, whole...)
		before := len(a.requests())
		for range 100 {
			snapshot(t, s)
		}
		if asked := a.requests()[before:]; len(asked) > 0 {
			t.Errorf("100 snapshots ask for %q", asked)
		}
	})
	t.Run("a Secret without an answer delays one snapshot for a moment, and is a finding", func(t *testing.T) {
		t.Parallel()
		a := newPlatform(t)
		a.set(func(a *api) { a.silent["watch secrets"], a.silent["list secrets"] = true, true })
		s := follow(t, a)
		began := time.Now()
		waitForContent(t, s, append(slices.Clone(without), "UnreadableInput Secret default/git: follow secrets: no answer yet")...)
		if took := time.Since(began); took > 25*time.Second {
			t.Errorf("it took %s", took)
		}
		began = time.Now()
		snapshot(t, s)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the next one took %s", took)
		}
	})
}
