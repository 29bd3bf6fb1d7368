package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	reportTimeout = 2 * time.Minute
	maxReport     = 256 << 20
	maxRefusal    = 512
)

type serverRows struct {
	// shown is url without credentials.
	url, shown string
	client     *http.Client
}

var _ rowSource = (*serverRows)(nil)

func newServerRows(c *cobra.Command, address string) (*serverRows, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return nil, usage(c, "--server: write it as http://HOST:PORT or https://HOST:PORT")
	}
	parsed = parsed.JoinPath("api/v1/report")
	return &serverRows{url: parsed.String(), shown: statestore.RedactURLs(parsed.String()), client: &http.Client{Timeout: reportTimeout}}, nil
}

var errTooLong = fmt.Errorf("its answer has more than %d MiB", maxReport>>20)

// boundedBody is a response body that fails with errTooLong after left bytes.
type boundedBody struct {
	from io.Reader
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (r *serverRows) list(ctx context.Context) (listing.Listing, error) {
	var list listing.Listing
	err := r.read(ctx, func(in io.Reader) (err error) {
		list, err = listing.DecodeReport(in)
		return err
	})
	return list, err
}

func (r *serverRows) read(ctx context.Context, decode func(io.Reader) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, http.NoBody)
	if err != nil {
		return fmt.Errorf("--server %s: %w", r.shown, err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "kratix-schedule/"+version)
	response, err := r.client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return fmt.Errorf("--server %s: %w; check that run --listen serves there", r.shown, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return fmt.Errorf("--server %s: it answers %s: name the address of --listen, not that of --listen-page", r.shown, response.Status)
	}
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal)) // the status is enough
		return fmt.Errorf("--server %s: it answers %s: %s", r.shown, response.Status, strings.TrimSpace(string(text)))
	}
	if response.ContentLength > maxReport {
		return fmt.Errorf("--server %s: %w", r.shown, errTooLong)
	}
	if err := decode(&boundedBody{response.Body, maxReport}); err != nil {
		return fmt.Errorf("--server %s: %w", r.shown, err)
	}
	return nil
}

func (*serverRows) problem() error { return nil }
