package gravitee

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Far more than any application has; what goes on longer has no end.
const (
	pageSize = 100 // the most that every version allows
	maxPages = 50
	maxKeys  = 10_000
)

// subscriptions reads the list, page by page.
func (p *pass) subscriptions(ctx context.Context) ([]Subscription, error) {
	var all []Subscription
	seen := map[string]bool{} // a new subscription moves others to the next page
	for number := 1; number <= maxPages; number++ {
		var page subscriptionPage
		err := p.get(ctx, p.page(number), &page)
		if err != nil {
			return nil, err
		}
		if page.Data == nil {
			return nil, fail(Invalid, "the answer is JSON, but no list of subscriptions")
		}
		for _, e := range page.Data {
			if !isID(e.ID) {
				return nil, fail(Invalid, "a subscription has no usable id")
			}
			if !seen[e.ID] {
				all = append(all, e.subscription(page.Metadata))
			}
			seen[e.ID] = true
		}
		if len(page.Data) == 0 || number == page.Page.TotalPages || page.Page.TotalPages == 0 && len(page.Data) < pageSize {
			return all, nil
		}
	}
	return nil, fail(Invalid, "the list of subscriptions has more than %d pages", maxPages)
}

// page is the address of one page of the list. Without status only accepted
// subscriptions would come, and a paused one's key would seem unknown.
func (p *pass) page(number int) *url.URL {
	address := *p.client.subscriptions
	address.RawQuery = url.Values{
		"status": {"ACCEPTED,PAUSED"}, "page": {strconv.Itoa(number)}, "size": {strconv.Itoa(pageSize)},
	}.Encode()
	return &address
}

func (e subscriptionEntity) subscription(names names) Subscription {
	return Subscription{
		ID: e.ID, API: e.API, APIName: names[e.API], Plan: e.Plan, PlanName: names[e.Plan],
		Paused: e.Status == "PAUSED", Ends: e.EndingAt.Time,
	}
}

// isID keeps out whatever would be more than one step of a path.
func isID(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s, ".") != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// keys reads the keys of all subscriptions, a few at a time. The first failure ends it.
func (p *pass) keys(ctx context.Context, subscriptions []Subscription) ([]Key, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		work    = make(chan Subscription)
		found   = newHarvest()
		workers sync.WaitGroup
	)
	for range concurrency {
		workers.Go(func() {
			for s := range work {
				err := p.keysOf(ctx, s, found)
				if err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, s := range subscriptions {
		select {
		case work <- s:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	workers.Wait()
	if ctx.Err() != nil {
		return nil, ended(context.Cause(ctx))
	}
	return found.keys(len(subscriptions))
}

// ended names the end of a pass: one of its own failures, or its context's.
func ended(cause error) error {
	if errors.Is(cause, context.DeadlineExceeded) {
		return fail(Timeout, "the reading as a whole did not end in time")
	}
	return cause
}

// spellings are the last step of the address of a subscription's keys: from 3.12 on, and before.
var spellings = [...]string{"apikeys", "keys"}

// keysOf reads the keys of one subscription.
func (p *pass) keysOf(ctx context.Context, s Subscription, found *harvest) error {
	keys, err := keyList[keyEntity](ctx, p, s.ID)
	if err == nil && keys != nil {
		found.add(s, keys)
	}
	return err
}

// keyList asks for the keys of one subscription, first in the spelling that was understood
// last. It is nil where neither is known: then the subscription has just been closed.
func keyList[T any](ctx context.Context, p *pass, subscription string) ([]T, error) {
	last := p.client.spelling.Load()
	for _, n := range []int32{last, 1 - last} {
		var keys []T
		err := p.get(ctx, p.client.subscriptions.JoinPath(subscription, spellings[n]), &keys)
		if isKind(err, NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if keys == nil {
			return nil, fail(Invalid, "the answer is JSON, but no list of keys")
		}
		p.client.spelling.Store(n)
		return keys, nil
	}
	return nil, nil
}
