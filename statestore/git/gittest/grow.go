package gittest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"testing"
)

// Grow adds one commit on main to an empty repository, with files of the given size in bytes.
func Grow(t testing.TB, repository string, files, size int) {
	t.Helper()
	cmd := exec.Command("git", "-c", "core.compression=0", "fast-import", "--quiet", "--depth=0")
	cmd.Dir, cmd.Env = repository, Env()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	to := bufio.NewWriterSize(in, 1<<20)
	fmt.Fprint(to, "commit refs/heads/main\ncommitter stranger <stranger@example.com> 1700000000 +0000\ndata 5\ngrown\n")
	random := rand.NewChaCha8([32]byte{1})
	content := make([]byte, size)
	for i := range files {
		random.Read(content) //nolint:errcheck // it never fails
		fmt.Fprintf(to, "M 100644 inline worker-%d/resources/default/app/held-%d/5058f/%d.yaml\ndata %d\n", i/3%50, i/3, i%3, size)
		to.Write(content)    //nolint:errcheck // Flush returns the error
		to.WriteString("\n") //nolint:errcheck // Flush returns the error
	}
	if err := to.Flush(); err != nil {
		t.Fatal(err)
	}
	in.Close() //nolint:errcheck // the exit status shows errors
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}
