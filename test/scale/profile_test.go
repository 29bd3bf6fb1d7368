package scale

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profile saves profiles of CPU and heap until the returned function is called. It does nothing if
// the flag for profiles is not set.
func (s *fixture) profile(step string) (stop func()) {
	if *keep == "" {
		return func() {}
	}
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := 1; ; {
			name := filepath.Join(*keep, fmt.Sprintf("%s-%d", step, i))
			if saveProfile(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=10", s.daemon.address), name+".cpu") {
				saveProfile(fmt.Sprintf("http://%s/debug/pprof/heap", s.daemon.address), name+".heap")
				i++
			}
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

func saveProfile(url, name string) bool {
	answer, err := http.Get(url) //nolint:gosec // the daemon's own address
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	return err == nil && os.WriteFile(name, content, 0o600) == nil
}
