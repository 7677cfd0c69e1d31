package schedule

import (
	"context"
	"slices"
	"sync"
)

// places bounds how many probes run at once, in all and per host. Who waits
// because its host is full keeps nobody of another host waiting. Runs that
// somebody asks for have half of each cap, so that the timed ones go on.
type places struct {
	mu      sync.Mutex
	caps    Caps
	all     room
	asked   room      // those of all that were asked for
	waiting []*ticket // in the order of their coming
}

// room counts the places taken.
type room struct {
	taken int
	hosts map[string]int
}

func (r *room) fits(host string, caps Caps) bool {
	return r.taken < caps.Total && r.hosts[host] < caps.PerHost
}

func (r *room) take(host string) {
	r.taken++
	r.hosts[host]++
}

func (r *room) free(host string) {
	r.taken--
	r.hosts[host]--
	if r.hosts[host] == 0 {
		delete(r.hosts, host)
	}
}

func (c Caps) half() Caps { return Caps{Total: max(c.Total/2, 1), PerHost: max(c.PerHost/2, 1)} }

// seat is what a place is wanted for.
type seat struct {
	host  string
	asked bool // for, by somebody; not by a timer
}

// ticket is somebody who waits for a place; closed when it is there.
type ticket struct {
	seat
	granted chan struct{}
}

func newPlaces() *places {
	return &places{all: room{hosts: map[string]int{}}, asked: room{hosts: map[string]int{}}}
}

// resize sets the caps. Who is inside stays; nobody enters until there is room under the new caps.
func (p *places) resize(caps Caps) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.caps = caps
	p.grant()
}

// enter waits for a place, first come first served, until ctx ends.
func (p *places) enter(ctx context.Context, want seat) (leave func(), err error) {
	t := &ticket{want, make(chan struct{})}
	p.mu.Lock()
	p.waiting = append(p.waiting, t)
	p.grant()
	p.mu.Unlock()
	leave = func() { p.leave(want) }
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

func (p *places) leave(had seat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all.free(had.host)
	if had.asked {
		p.asked.free(had.host)
	}
	p.grant()
}

// grant gives what room there is to those who wait, in their order.
func (p *places) grant() {
	p.waiting = slices.DeleteFunc(p.waiting, func(t *ticket) bool {
		if !p.all.fits(t.host, p.caps) || t.asked && !p.asked.fits(t.host, p.caps.half()) {
			return false
		}
		p.all.take(t.host)
		if t.asked {
			p.asked.take(t.host)
		}
		close(t.granted)
		return true
	})
}
