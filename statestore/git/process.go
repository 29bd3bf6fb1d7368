package git

import (
	"context"
	"os/exec"
	"strings"
	"sync"
)

// processes starts services of a repository on this machine.
type processes struct{ dir string }

var _ launcher = processes{}

// launch runs the git binary. Blobs may be left out and asked for one by one,
// whatever the repository's configuration says of others.
func (p processes) launch(_ context.Context, name string) (*service, error) {
	cmd := exec.Command("git", //nolint:noctx // it outlives the call and is killed by its owner
		"-c", "uploadpack.allowFilter=true", "-c", "uploadpack.allowAnySHA1InWant=true",
		strings.TrimPrefix(name, "git-"), p.dir)
	said := &words{}
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
		cmd.Wait()         //nolint:errcheck // what it wrote is what counts
	})
	return &service{in: in, out: out, words: said, leave: end, kill: end}, nil
}
