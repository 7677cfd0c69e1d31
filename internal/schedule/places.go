package schedule

import (
	"context"
	"sync"
)

// places bounds how many probes run at once, in all and per host. Who waits
// for its host holds none of the places that others wait for.
type places struct {
	total   chan struct{}
	perHost int

	mu    sync.Mutex
	hosts map[string]*host
}

// host is there while anybody uses or waits for it.
type host struct {
	places chan struct{}
	users  int
}

func newPlaces(caps Caps) *places {
	return &places{
		total:   make(chan struct{}, caps.Total),
		perHost: caps.PerHost,
		hosts:   map[string]*host{},
	}
}

// enter waits for a place, first come first served, until ctx ends.
func (p *places) enter(ctx context.Context, name string) (leave func(), err error) {
	h := p.use(name)
	select {
	case h.places <- struct{}{}:
	case <-ctx.Done():
		p.drop(name, h)
		return nil, ctx.Err()
	}
	select {
	case p.total <- struct{}{}:
	case <-ctx.Done():
		<-h.places
		p.drop(name, h)
		return nil, ctx.Err()
	}
	return func() {
		<-p.total
		<-h.places
		p.drop(name, h)
	}, nil
}

func (p *places) use(name string) *host {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, ok := p.hosts[name]
	if !ok {
		h = &host{places: make(chan struct{}, p.perHost)}
		p.hosts[name] = h
	}
	h.users++
	return h
}

func (p *places) drop(name string, h *host) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h.users--
	if h.users == 0 {
		delete(p.hosts, name)
	}
}
