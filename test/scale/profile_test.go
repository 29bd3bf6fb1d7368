package scale

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profile starts a CPU profile of the daemon for the given number of seconds, and then a heap
// profile. It does nothing if the flag for profiles is not set.
func (s *fixture) profile(name string, seconds int) {
	if *keep == "" {
		return
	}
	address := s.daemon.address
	go func() {
		time.Sleep(200 * time.Millisecond)
		save(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", address, seconds), filepath.Join(*keep, name+".cpu"))
		save(fmt.Sprintf("http://%s/debug/pprof/heap?gc=1", address), filepath.Join(*keep, name+".heap"))
	}()
}

func save(url, name string) {
	answer, err := http.Get(url) //nolint:gosec // the daemon's own address
	if err != nil {
		return
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err == nil {
		_ = os.WriteFile(name, content, 0o600)
	}
}
