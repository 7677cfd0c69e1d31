package demo

// SetQueue makes the application's queue from_<producer> hold so many ready
// messages and have so many consumers. A name outside the scenario panics.
func (p *Platform) SetQueue(a Access, producer string, ready, consumers uint32) {
	b := p.broker(a.Institution)
	u := b.user(a.Application)
	_, there := u.queue("from_"+producer, BrokerHealthy)
	if !there {
		panic("demo: this application has no queue from_" + producer)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if u.counts == nil {
		u.counts = map[string]queue{}
	}
	u.counts[producer] = queue{producer, ready, consumers}
}

// finds returns the queue of this name, if u finds it now.
func (b *broker) finds(u *brokerUser, name string) (q queue, ok bool) {
	q, ok = u.queue(name, b.shows(u))
	b.mu.Lock()
	defer b.mu.Unlock()
	set, there := u.counts[q.Producer]
	if ok && there {
		q = set
	}
	return q, ok
}
