package schedule

import (
	"context"
	"slices"
	"sync"
)

// limiter bounds how many probes run at once, in all and per host. A request
// that waits because its host is full delays no request for another host. Runs
// on demand get half of each cap, so that the timed ones go on.
type limiter struct {
	mu       sync.Mutex
	caps     Caps
	all      usage
	onDemand usage     // the part of all that runs on demand take
	waiting  []*waiter // in order of arrival
}

// request asks for one slot.
type request struct {
	host     string
	onDemand bool // a caller asks for the run, not a timer
}

// waiter is a request in the queue; granted is closed when it has its slot.
type waiter struct {
	request
	granted chan struct{}
}

func newLimiter() *limiter {
	return &limiter{all: usage{hosts: map[string]int{}}, onDemand: usage{hosts: map[string]int{}}}
}

// resize sets the caps. Slots that are taken stay taken; new ones are granted only under the new caps.
func (l *limiter) resize(caps Caps) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.caps = caps
	l.grant()
}

// acquire waits for a slot, first come first served, until ctx ends.
func (l *limiter) acquire(ctx context.Context, r request) (release func(), err error) {
	w := &waiter{r, make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, w)
	l.grant()
	l.mu.Unlock()
	release = func() { l.release(r) }
	select {
	case <-w.granted:
		return release, nil
	case <-ctx.Done():
	}
	if !l.withdraw(w) {
		release() // the slot was granted at the same moment
	}
	return nil, ctx.Err()
}

// withdraw takes w out of the queue; false: it is no longer there.
func (l *limiter) withdraw(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, w)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	return true
}

func (l *limiter) release(r request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.remove(r.host)
	if r.onDemand {
		l.onDemand.remove(r.host)
	}
	l.grant()
}

// grant gives the free slots to those who wait, in their order.
func (l *limiter) grant() {
	l.waiting = slices.DeleteFunc(l.waiting, func(w *waiter) bool {
		if !l.all.fits(w.host, l.caps) || w.onDemand && !l.onDemand.fits(w.host, l.caps.half()) {
			return false
		}
		l.all.add(w.host)
		if w.onDemand {
			l.onDemand.add(w.host)
		}
		close(w.granted)
		return true
	})
}

// usage counts slots that are taken.
type usage struct {
	total int
	hosts map[string]int
}

func (u *usage) fits(host string, caps Caps) bool {
	return u.total < caps.Total && u.hosts[host] < caps.PerHost
}

func (u *usage) add(host string) {
	u.total++
	u.hosts[host]++
}

func (u *usage) remove(host string) {
	u.total--
	u.hosts[host]--
	if u.hosts[host] == 0 {
		delete(u.hosts, host)
	}
}

func (c Caps) half() Caps { return Caps{Total: max(c.Total/2, 1), PerHost: max(c.PerHost/2, 1)} }
