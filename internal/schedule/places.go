package schedule

import (
	"context"
	"slices"
	"sync"
)

// places bounds how many probes run at once, in all and per host. Who waits
// because its host is full keeps nobody of another host waiting.
type places struct {
	mu      sync.Mutex
	caps    Caps
	taken   int
	hosts   map[string]int // places taken, by host
	waiting []*ticket      // in the order of their coming
}

// ticket is somebody who waits for a place; closed when it is there.
type ticket struct {
	host    string
	granted chan struct{}
}

func newPlaces() *places { return &places{hosts: map[string]int{}} }

// resize sets the caps. Who is inside stays; nobody enters until there is room under the new caps.
func (p *places) resize(caps Caps) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.caps = caps
	p.grant()
}

// enter waits for a place, first come first served, until ctx ends.
func (p *places) enter(ctx context.Context, host string) (leave func(), err error) {
	t := &ticket{host, make(chan struct{})}
	p.mu.Lock()
	p.waiting = append(p.waiting, t)
	p.grant()
	p.mu.Unlock()
	leave = func() { p.leave(host) }
	select {
	case <-t.granted:
		return leave, nil
	case <-ctx.Done():
	}
	if !p.withdraw(t) {
		leave() // the place came at the same moment
	}
	return nil, ctx.Err()
}

// withdraw takes t out of the line; false: it is not in it any more.
func (p *places) withdraw(t *ticket) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.waiting, t)
	if i < 0 {
		return false
	}
	p.waiting = slices.Delete(p.waiting, i, i+1)
	return true
}

func (p *places) leave(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	p.hosts[host]--
	if p.hosts[host] == 0 {
		delete(p.hosts, host)
	}
	p.grant()
}

// grant gives what room there is to those who wait, in their order.
func (p *places) grant() {
	p.waiting = slices.DeleteFunc(p.waiting, func(t *ticket) bool {
		if p.taken >= p.caps.Total || p.hosts[t.host] >= p.caps.PerHost {
			return false
		}
		p.taken++
		p.hosts[t.host]++
		close(t.granted)
		return true
	})
}
