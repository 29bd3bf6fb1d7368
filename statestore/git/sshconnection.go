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

// newConnection returns a connection for a client, and starts a goroutine that waits until the
// client's connection has ended.
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

// start starts a command, and waits until the server has accepted it.
func (c *connection) start(ctx context.Context, session *ssh.Session, command string) error {
	_, err := awaited(ctx, c, func() (struct{}, error) { return struct{}{}, session.Start(command) })
	return err
}

func (c *connection) close() {
	c.client.Close() //nolint:errcheck // it may have ended
}

// awaited calls request and returns its result. It returns early if the connection or the context
// ends; if the context ends, it closes the connection. Without awaited, a caller could wait
// forever: if the connection ends while a session is opened, the library may never reply.
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
