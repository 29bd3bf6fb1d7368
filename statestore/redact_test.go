package statestore_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func TestRedactURLs(t *testing.T) {
	for text, want := range map[string]string{
		"no address":                                              "no address",
		"https://git.example.com/x.git":                           "https://git.example.com/x.git",
		"https://git.example.com:8443/x.git@main":                 "https://git.example.com:8443/x.git@main",
		"https://[::1]:8443/x":                                    "https://[::1]:8443/x",
		"https://u:hunter2@git.example.com/x":                     "https://***@git.example.com/x",
		"https://hunter2@git.example.com/x":                       "https://***@git.example.com/x",
		"https://u:hunter2@x@git.example.com/x":                   "https://***@git.example.com/x",
		"https://u:hun/ter2@git.example.com/x":                    "https://***@git.example.com/x",
		"https://git.example.com/x?token=hunter2":                 "https://git.example.com/x?***",
		"https://git.example.com/x#hunter2":                       "https://git.example.com/x#***",
		"https://git.example.com?token=hunter2@y":                 "https://git.example.com?***",
		"see ssh://u:hunter2@h/x, https://h/y?a=hunter2":          "see ssh://***@h/x, https://h/y?***",
		`Get "https://u:hunter2@h/x?token=hunter2": EOF`:          `Get "https://***@h/x?***": EOF`,
		`Get "http://h/x/info/refs?service=git-upload-pack": EOF`: `Get "http://h/x/info/refs?service=git-upload-pack": EOF`,
		"https://u:hunter2":                                       "https://***",
		"cannot reach http://h:80: refused":                       "cannot reach http://h:80: refused",
		"did you mean https://h/x?":                               "did you mean https://h/x?",
		"(see https://h/x?token=hunter2).":                        "(see https://h/x?***).",
	} {
		if got := statestore.RedactURLs(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestErrorsOfStoresHaveNoCredentials(t *testing.T) {
	for _, address := range []string{"https://u:hunter2@h/x?token=hunter2", "https://u:hunter2@h:port/x", "https://u:hun%zzter2@h/x"} {
		_, err := url.Parse(address)
		for _, cause := range []error{err, errors.New("no answer from " + address)} {
			if cause == nil {
				continue
			}
			told := &statestore.Error{Op: "read", Store: "GitStateStore default", Err: fmt.Errorf("%w: %w", statestore.ErrMisconfigured, cause), Remote: "moved to " + address}
			if strings.Contains(told.Error(), "hunter2") || strings.Contains(told.Error(), "hun%zzter2@") {
				t.Errorf("it says %s", told)
			}
		}
	}
}

func FuzzRedactURLs(f *testing.F) {
	f.Add("u", "hunter2", "h", "x")
	f.Add("", "a:b@c", "h:80", "")
	f.Fuzz(func(t *testing.T, user, password, host, path string) {
		if len(password) < 4 || strings.Contains("https://***?***"+host+path, url.QueryEscape(password)) {
			return
		}
		address := (&url.URL{Scheme: "https", User: url.UserPassword(user, "p4ssw0rd"+url.QueryEscape(password)), Host: "h.example.com", Path: "/x"}).String() + "?token=p4ssw0rd" + url.QueryEscape(password)
		if got := statestore.RedactURLs("read " + address + ": EOF"); strings.Contains(got, "p4ssw0rd") {
			t.Errorf("%s: %s", address, got)
		}
	})
}
