package comment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

const (
	// perPage is the number of comments in a page, the maximum of both APIs.
	perPage  = 100
	maxPages = 50
	// maxPage is the maximum size of a page in bytes.
	maxPage = 100 << 20
	// maxMessage is the maximum number of bytes that are read of an error.
	maxMessage  = 1 << 10
	callTimeout = 20 * time.Second
)

type refusedError struct {
	status  int
	message string
	// tooMany means that there were too many requests.
	tooMany bool
}

func (e *refusedError) Error() string {
	text := fmt.Sprintf("the server answers with status %d", e.status)
	if e.message != "" {
		text += ": " + e.message
	}
	switch {
	case e.tooMany:
		return text + "; too many requests were made with this token, and the next run tries again"
	case e.status == http.StatusUnauthorized:
		return text + "; the token is not valid"
	case e.status == http.StatusForbidden || e.status == http.StatusNotFound:
		return text + "; the token may not write comments here: grant it, or use comment: false; on a pull request from a fork it never may"
	case e.status >= http.StatusInternalServerError:
		return text + "; the next run tries again"
	}
	return text
}

type client struct {
	http *http.Client
	base string
	// header is sent with each request. It contains the token.
	header http.Header
}

// newClient returns a client that follows no redirects, because a redirect could send the token
// elsewhere.
func newClient(transport http.RoundTripper, base string, header http.Header) client {
	return client{
		http: &http.Client{
			Transport:     transport,
			Timeout:       callTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base: strings.TrimRight(base, "/"), header: header,
	}
}

// call sends a request, with body as JSON unless it is nil, and passes the response to read.
func (c client) call(ctx context.Context, method, url string, body any, read func(io.Reader) error) (http.Header, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return nil, errors.New("the address of the API is not valid")
	}
	request.Header = c.header.Clone()
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the server cannot be reached: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, refusal(response)
	}
	if read == nil {
		return response.Header, nil
	}
	if err := read(io.LimitReader(response.Body, maxPage)); err != nil {
		return nil, fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	return response.Header, nil
}

func refusal(response *http.Response) error {
	var said struct{ Message any }
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxMessage)) // a part of the message is enough
	refused := &refusedError{status: response.StatusCode}
	if json.Unmarshal(text, &said) == nil {
		if message, ok := said.Message.(string); ok {
			refused.message = printable.Line(message)
		}
	}
	refused.tooMany = response.StatusCode == http.StatusTooManyRequests ||
		response.StatusCode == http.StatusForbidden && (response.Header.Get("Retry-After") != "" || response.Header.Get("X-RateLimit-Remaining") == "0")
	return refused
}

type written struct {
	ID     int64
	Body   string
	System bool
	// User is the author at GitHub, Author at GitLab.
	User, Author struct{ ID int64 }
}

func (c client) own(ctx context.Context, url, marker string, isOwn func(written) bool) ([]Comment, error) {
	var found []Comment
	for page := 1; ; page++ {
		if page > maxPages {
			return nil, fmt.Errorf("there are more than %d comments", maxPages*perPage)
		}
		header, err := c.call(ctx, http.MethodGet, url+"page="+strconv.Itoa(page), nil, func(r io.Reader) error {
			return eachComment(r, func(w written) {
				if !w.System && isOwn(w) && has(w.Body, marker) {
					found = append(found, Comment{w.ID, w.Body})
				}
			})
		})
		if err != nil {
			return nil, err
		}
		if !strings.Contains(header.Get("Link"), `rel="next"`) {
			return found, nil
		}
	}
}

// eachComment calls each for the comments of a JSON list, one at a time.
func eachComment(r io.Reader, each func(written)) error {
	decoder := json.NewDecoder(r)
	if start, err := decoder.Token(); err != nil || start != json.Delim('[') {
		return errors.New("it is not a list")
	}
	for decoder.More() {
		var w written
		if err := decoder.Decode(&w); err != nil {
			return err
		}
		each(w)
	}
	_, err := decoder.Token()
	return err
}

func (c client) write(ctx context.Context, id int64, body, create, replaceMethod, replace string) (int64, error) {
	method, url := http.MethodPost, create
	if id != 0 {
		method, url = replaceMethod, replace
	}
	var got written
	_, err := c.call(ctx, method, url, map[string]string{"body": body}, func(r io.Reader) error { return json.NewDecoder(r).Decode(&got) })
	if id != 0 && isNotFound(err) {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	return got.ID, err
}

// remove deletes a comment. It returns nil if the comment does not exist.
func (c client) remove(ctx context.Context, url string) error {
	_, err := c.call(ctx, http.MethodDelete, url, nil, nil)
	if isNotFound(err) {
		return nil
	}
	return err
}

func isNotFound(err error) bool {
	var refused *refusedError
	return errors.As(err, &refused) && refused.status == http.StatusNotFound
}
