package gittest

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Fault describes how connections through a Proxy fail.
type Fault struct {
	// Delay is the time until the first byte is forwarded to the client.
	Delay time.Duration
	// After is the number of bytes that the client gets before the connection fails.
	After int64
	// Cut closes the connection, Reset resets it, and Hang keeps it open without sending more.
	// Garbage is sent before the connection fails.
	Cut, Reset, Hang bool
	Garbage          string
}

// Proxy forwards connections, which fail as set by Set.
type Proxy struct {
	// Address is the host:port to connect to.
	Address string

	mu    sync.Mutex
	fault Fault
	conns []net.Conn
}

// NewProxy starts a proxy for a server. It runs until the test ends.
func NewProxy(t testing.TB, server string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: listener.Addr().String()}
	t.Cleanup(func() {
		listener.Close() //nolint:errcheck // the test is over, or the peer has closed it
		p.drop()
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.pass(client, server)
		}
	}()
	return p
}

// Set sets the fault of new connections, and closes the existing ones.
func (p *Proxy) Set(fault Fault) {
	p.mu.Lock()
	p.fault = fault
	p.mu.Unlock()
	p.drop()
}

func (p *Proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		conn.Close() //nolint:errcheck // the test is over, or the peer has closed it
	}
	p.conns = nil
}

func (p *Proxy) begin(client net.Conn, server string) (Fault, net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	upstream, err := net.Dial("tcp", server)
	if err == nil {
		p.conns = append(p.conns, client, upstream)
	}
	return p.fault, upstream, err
}

func (p *Proxy) pass(client net.Conn, server string) {
	defer client.Close() //nolint:errcheck // the test is over, or the peer has closed it
	fault, upstream, err := p.begin(client, server)
	if err != nil {
		return
	}
	defer upstream.Close() //nolint:errcheck // the test is over, or the peer has closed it
	go func() {
		io.Copy(upstream, client) //nolint:errcheck // either end may close
		if half, ok := upstream.(*net.TCPConn); ok {
			half.CloseWrite() //nolint:errcheck // either end may close
		}
	}()
	time.Sleep(fault.Delay)
	if fault == (Fault{Delay: fault.Delay}) {
		io.Copy(client, upstream) //nolint:errcheck // either end may close
		return
	}
	io.CopyN(client, upstream, fault.After) //nolint:errcheck // either end may close
	io.WriteString(client, fault.Garbage)   //nolint:errcheck // either end may close
	switch {
	case fault.Hang:
		io.Copy(io.Discard, upstream) //nolint:errcheck // until the test ends
	case fault.Reset:
		if tcp, ok := client.(*net.TCPConn); ok {
			tcp.SetLinger(0) //nolint:errcheck // then Close resets the connection
		}
	}
}
