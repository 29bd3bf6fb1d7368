package git

import (
	"context"
	"errors"

	"golang.org/x/crypto/ssh"
)

var errConnectionEnded = errors.New("the connection ended")

type connection struct {
	client *ssh.Client
	ended  <-chan struct{}
}

// newConnection returns a connection for a client. Its channel ended is closed when the client's
// connection has ended.
func newConnection(client *ssh.Client) *connection {
	ended := make(chan struct{})
	go func() {
		client.Wait() //nolint:errcheck // why it ends does not matter
		close(ended)
	}()
	return &connection{client: client, ended: ended}
}

func (c *connection) session(ctx context.Context) (*ssh.Session, error) {
	return awaited(ctx, c, c.client.NewSession)
}

func (c *connection) start(ctx context.Context, session *ssh.Session, command string) error {
	_, err := awaited(ctx, c, func() (struct{}, error) { return struct{}{}, session.Start(command) })
	return err
}

func (c *connection) close() {
	c.client.Close() //nolint:errcheck // it may have ended
}

// awaited returns the result of request, or an error as soon as the connection or the context ends.
// If the context ends, it closes the connection.
func awaited[T any](ctx context.Context, c *connection, request func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := request()
		done <- result{value, err}
	}()
	var none T
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		c.close()
		return none, ctx.Err()
	case <-c.ended:
		return none, errConnectionEnded
	}
}
