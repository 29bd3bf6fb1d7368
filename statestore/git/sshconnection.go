package git

import (
	"context"
	"errors"

	"golang.org/x/crypto/ssh"
)

// errConnectionEnded is the error of a request on an ssh connection that ends meanwhile.
var errConnectionEnded = errors.New("the connection ended")

// connection is an ssh connection.
type connection struct {
	client *ssh.Client
	// ended is closed once the connection does not receive anything any more.
	ended <-chan struct{}
}

// newConnection returns the connection of a client, and watches the client until it ends.
func newConnection(client *ssh.Client) *connection {
	ended := make(chan struct{})
	go func() {
		client.Wait() //nolint:errcheck // why it ends does not matter
		close(ended)
	}()
	return &connection{client: client, ended: ended}
}

// session opens a session.
func (c *connection) session(ctx context.Context) (*ssh.Session, error) {
	return awaited(ctx, c, c.client.NewSession)
}

// start starts a command and waits until the server has accepted it.
func (c *connection) start(ctx context.Context, session *ssh.Session, command string) error {
	_, err := awaited(ctx, c, func() (struct{}, error) { return struct{}{}, session.Start(command) })
	return err
}

// close closes the connection.
func (c *connection) close() {
	c.client.Close() //nolint:errcheck // it may have ended
}

// awaited returns the result of a request on a connection. It returns early when the context or the
// connection ends, and closes the connection when the context ends. Otherwise, opening a session
// while the library closes the connection's channels could wait forever for the reply.
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
