package demo

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// brokerDoor is a listener with everything that came in through it.
type brokerDoor struct {
	listener net.Listener
	cut      context.CancelFunc // closes all connections
	running  sync.WaitGroup
}

// openBrokerDoor hands every connection to address to serve, which closes it.
func openBrokerDoor(address string, serve func(net.Conn)) (*brokerDoor, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	ctx, cut := context.WithCancel(context.Background())
	d := &brokerDoor{listener: listener, cut: cut}
	d.running.Go(func() { d.accept(ctx, serve) })
	return d, nil
}

func (d *brokerDoor) accept(ctx context.Context, serve func(net.Conn)) {
	for {
		conn, err := d.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // no descriptors, and the like: it passes
			time.Sleep(10 * time.Millisecond)
			continue
		}
		d.running.Go(func() {
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			serve(conn)
		})
	}
}

// close refuses new connections, cuts the old ones and waits for them.
func (d *brokerDoor) close() {
	_ = d.listener.Close()
	d.cut()
	d.running.Wait()
}
