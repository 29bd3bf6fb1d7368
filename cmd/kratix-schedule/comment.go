package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/comment"
)

const commentTimeout = time.Minute

// maxEvent is the maximum size in bytes of the file with the event of GitHub Actions.
const maxEvent = 32 << 20

func commentCommand(std streams) *cobra.Command {
	name := ""
	command := &cobra.Command{
		Use:   "comment FILE",
		Short: "Post a report as the comment of a pull request",
		Long: `Post a report of -o markdown, from a file or with - from standard input, as a comment
of the pull request of GitHub or the merge request of GitLab that the CI run is about.
The comment of the previous run is replaced. Comments of other authors are not changed.

GitHub Actions or GitLab CI sets the variables that name the pull request. The token is
in KRATIX_SCHEDULE_COMMENT_TOKEN. In a run that is not about a pull request, nothing is
done and the status is 0. If the comment cannot be written, the status is 3.`,
		Example: `  kratix-schedule validate testdata/elastic-cloud -o markdown | kratix-schedule comment -
  kratix-schedule validate testdata/elastic-cloud -o markdown | kratix-schedule comment - --name works`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(c, "name one report, or - for standard input")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			report, err := readReport(args[0], std.in)
			if err != nil {
				return err
			}
			return postComment(c.Context(), report, args[0], name, std.out)
		},
	}
	command.Flags().StringVar(&name, "name", name, "name of the comment, if a pull request has several of this program")
	return command
}

// readReport reads a report up to one byte above its maximum size, so that a larger report is
// recognized.
func readReport(file string, in io.Reader) (string, error) {
	if file == "-" {
		text, err := io.ReadAll(io.LimitReader(in, comment.MaxReport+1))
		return string(text), err
	}
	text, err := readAtMost(file, comment.MaxReport+1)
	if err != nil {
		return "", exit{code: exitUsage, text: "cannot read the report " + file + ": " + unwrapped(err).Error() + "; write it with -o markdown=" + file}
	}
	return string(text), nil
}

func readAtMost(name string, size int64) ([]byte, error) {
	file, err := os.Open(name) //nolint:gosec // the caller names it
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, size))
}

func postComment(ctx context.Context, report, file, name string, out io.Writer) error {
	// A faulty report is an error even if no comment is posted.
	text, err := comment.NewText(report, name, 0)
	if err != nil {
		return exit{code: exitUsage, text: fmt.Sprintf("%s: %s", file, err)}
	}
	thread, run, err := comment.Open(comment.Environment{
		Get:       os.Getenv,
		ReadFile:  func(name string) ([]byte, error) { return readAtMost(name, maxEvent) },
		Transport: http.DefaultTransport, UserAgent: "kratix-schedule/" + version,
	})
	if errors.Is(err, comment.ErrNoPullRequest) {
		_, err = fmt.Fprintln(out, "no comment: "+err.Error())
		return err
	}
	if err != nil {
		return fmt.Errorf("no comment: %w", err)
	}
	text.Run = run
	ctx, cancel := context.WithTimeout(ctx, commentTimeout)
	defer cancel()
	outcome, err := comment.Post(ctx, thread, text)
	if err != nil {
		return fmt.Errorf("comment: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s the comment %d\n", outcome.Did, outcome.ID)
	return err
}
