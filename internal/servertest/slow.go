package servertest

import (
	"io"
	"net"
	"testing"
	"time"
)

// Slow starts a proxy that delays the bytes from clients to the server by the latency. It returns
// the proxy's host and port. It uses little CPU time, because benchmarks use it.
func Slow(t testing.TB, endpoint string, latency time.Duration) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go wire(client, endpoint, latency)
		}
	}()
	return listener.Addr().String()
}

// parcel has the bytes of one read, and the time at which they are due at the other end.
type parcel struct {
	bytes []byte
	due   <-chan time.Time
}

func wire(client net.Conn, endpoint string, latency time.Duration) {
	server, err := net.Dial("tcp", endpoint)
	if err != nil {
		_ = client.Close()
		return
	}
	parcels := make(chan parcel, 64)
	go func() {
		defer close(parcels)
		for {
			bytes := make([]byte, 16<<10)
			n, err := client.Read(bytes)
			if n > 0 {
				parcels <- parcel{bytes[:n], time.After(latency)}
			}
			if err != nil {
				return
			}
		}
	}()
	go func() {
		defer func() { _ = server.Close() }()
		for p := range parcels {
			<-p.due
			_, _ = server.Write(p.bytes)
		}
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
}
