package git

import (
	"context"
	"os/exec"
	"strings"
	"sync"
)

type processes struct{ dir string }

var _ launcher = processes{}

// launch runs the git binary. It allows fetches of single blobs, regardless of the repository's
// configuration.
func (p processes) launch(_ context.Context, name string) (*service, error) {
	cmd := exec.Command("git", //nolint:noctx // the process outlives the call and is killed by its owner
		"-c", "uploadpack.allowFilter=true", "-c", "uploadpack.allowAnySHA1InWant=true",
		strings.TrimPrefix(name, "git-"), p.dir)
	said := &transcript{}
	cmd.Stderr = said
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	end := sync.OnceFunc(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		cmd.Wait()         //nolint:errcheck // only its output matters
	})
	return &service{in: in, out: out, words: said, leave: end, kill: end}, nil
}
