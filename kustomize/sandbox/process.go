package sandbox

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// process is a process that runs builds. It requests the contents of the files that it needs.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
	files   map[string][]byte
}

func (b Builder) start(ctx context.Context, ask request, files []tree.File) (*process, error) {
	p := &process{command: exec.CommandContext(ctx, b.Program, Argument), files: make(map[string][]byte, len(files))}
	ask.Memory = b.Memory
	for _, file := range files {
		ask.Files = append(ask.Files, file.Path.String())
		p.files[file.Path.String()] = file.Content
	}
	question, err := json.Marshal(ask)
	if err == nil {
		p.in, err = p.command.StdinPipe()
	}
	if err != nil {
		return nil, fmt.Errorf("ask for a build: %w", err)
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("ask for a build: %w", err)
	}
	p.command.WaitDelay = time.Second
	p.answers = json.NewDecoder(out)
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("ask for a build: %w", err)
	}
	_ = writeContent(p.in, question) // if this fails, the process has ended, and next returns an error
	return p, nil
}

// next returns the next answer of the process. It sends the files that the process requests.
func (p *process) next() (answer, error) {
	for {
		var said answer
		if err := p.answers.Decode(&said); err != nil {
			return said, errNoAnswer
		}
		if said.Fetch == "" {
			return said, nil
		}
		if err := writeContent(p.in, p.files[said.Fetch]); err != nil {
			return said, errNoAnswer
		}
	}
}

func (p *process) end() error {
	_ = p.in.Close()
	return p.command.Wait()
}

func writeContent(out io.Writer, content []byte) error {
	if err := binary.Write(out, binary.BigEndian, uint64(len(content))); err != nil {
		return err
	}
	_, err := out.Write(content)
	return err
}

func readContent(in io.Reader) ([]byte, error) {
	var size uint64
	if err := binary.Read(in, binary.BigEndian, &size); err != nil {
		return nil, err
	}
	content := make([]byte, size)
	_, err := io.ReadFull(in, content)
	return content, err
}

func readRequest(in io.Reader) (request, error) {
	var ask request
	question, err := readContent(in)
	if err == nil {
		err = json.Unmarshal(question, &ask)
	}
	return ask, err
}
