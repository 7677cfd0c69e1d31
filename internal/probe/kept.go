package probe

import (
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// maxAge is how long a connection is kept between probes, even if it is used again and again: a gateway's new address or
// certificate would not be noticed otherwise.
const maxAge = time.Hour

// kept is a TLS connection that is used by one probe after the other. Another probe may get it before the one that dialed
// it has let go of it. The nil pointer is a connection that is not kept.
type kept struct {
	net.Conn

	mu      sync.Mutex
	users   int         // probes whose request it carries
	expiry  *time.Timer // nil: nobody has used it yet
	expired bool
	aborted bool // closed by us, and not because a probe was done with it
}

// keptOf returns what is kept below a connection of net/http's.
func keptOf(conn net.Conn) *kept {
	secured, _ := conn.(*tls.Conn)
	if secured == nil {
		return nil
	}
	k, _ := secured.NetConn().(*kept)
	return k
}

// abort closes the connection, whoever has it.
func (k *kept) abort() {
	k.mu.Lock()
	k.aborted = true
	k.mu.Unlock()
	_ = k.Close()
}

func (k *kept) wasAborted() bool {
	if k == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.aborted
}

// take notes that a probe uses the connection. From the first on it expires, at the latest with its certificate.
func (k *kept) take(conn net.Conn) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.users++
	if k.expiry == nil {
		k.expiry = time.AfterFunc(lifeOf(conn.(*tls.Conn).ConnectionState()), k.expire)
	}
}

// leave notes that a probe is done with the connection.
func (k *kept) leave() {
	if k == nil {
		return
	}
	k.mu.Lock()
	k.users--
	over := k.expired && k.users <= 0
	k.mu.Unlock()
	if over {
		k.abort()
	}
}

// expire gives the connection up, as soon as no probe uses it.
func (k *kept) expire() {
	k.mu.Lock()
	k.expired = true
	idle := k.users <= 0
	k.mu.Unlock()
	if idle {
		k.abort()
	}
}

// Close implements net.Conn.
func (k *kept) Close() error {
	k.mu.Lock()
	if k.expiry != nil {
		k.expiry.Stop()
	}
	k.mu.Unlock()
	return k.Conn.Close()
}

func lifeOf(state tls.ConnectionState) time.Duration {
	end := earliestEnd(state.PeerCertificates)
	if end.IsZero() {
		return maxAge
	}
	return min(maxAge, max(0, time.Until(end)))
}
