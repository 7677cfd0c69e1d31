package gravitee

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// fetcher asks for the documents of one reading, all with the same token.
type fetcher struct {
	client *Client
	token  secret.Value
}

// Far more than any application has; a list that goes on longer has no end.
const (
	pageSize = 100 // the most that every version allows
	maxPages = 50
	// maxAnswer is several times what a hundred subscriptions take.
	maxAnswer = 8 << 20
)

// subscriptions reads the list, page by page.
func (f *fetcher) subscriptions(ctx context.Context) ([]Subscription, error) {
	var all []Subscription
	seen := map[string]bool{} // a new subscription moves others to the next page
	for number := 1; number <= maxPages; number++ {
		page, pages, err := f.page(ctx, "ACCEPTED,PAUSED", number)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			if !seen[s.ID] {
				all = append(all, s)
			}
			seen[s.ID] = true
		}
		if len(page) == 0 || number == pages || pages == 0 && len(page) < pageSize {
			return all, nil
		}
	}
	return nil, fail(Invalid, "the list of subscriptions has more than %d pages", maxPages)
}

// page reads one page of the list, and how many there are.
func (f *fetcher) page(ctx context.Context, status string, number int) (all []Subscription, pages int, err error) {
	var page subscriptionPage
	err = f.get(ctx, f.pageURL(status, number), &page)
	if err != nil {
		return nil, 0, err
	}
	if page.Data == nil {
		return nil, 0, fail(Invalid, "the answer is JSON, but no list of subscriptions")
	}
	for _, e := range page.Data {
		if !isID(e.ID) {
			return nil, 0, fail(Invalid, "a subscription has no usable id")
		}
		all = append(all, e.subscription(page.Metadata))
	}
	return all, page.Page.TotalPages, nil
}

// pageURL returns the address of one page of the list. Without status only accepted
// subscriptions would come, and a paused one's key would seem unknown.
func (f *fetcher) pageURL(status string, number int) *url.URL {
	address := *f.client.subscriptions
	address.RawQuery = url.Values{
		"status": {status}, "page": {strconv.Itoa(number)}, "size": {strconv.Itoa(pageSize)},
	}.Encode()
	return &address
}

// lookForApplication fails if the API manager does not have the application: an administrator gets an empty list of any.
func (f *fetcher) lookForApplication(ctx context.Context) error {
	var application applicationEntity
	err := f.get(ctx, f.client.application, &application)
	switch {
	case isApplicationMissing(err), isCanceled(ctx):
		return err
	case err == nil && application.Status == "ARCHIVED":
		return fail(NotFound, "the application is archived: enter the id of one that is in use")
	}
	return nil // the right to read subscriptions, which is enough for all else, does not cover this
}

// apis reads the list of all APIs that the token's user may find in the portal, by id. It is empty where it cannot be read.
func (f *fetcher) apis(ctx context.Context) map[string]API {
	all := map[string]API{}
	for number := 1; number <= maxPages; number++ {
		query := url.Values{"portal": {"true"}}
		if number > 1 {
			query.Set("page", strconv.Itoa(number))
			query.Set("size", strconv.Itoa(pageSize))
		}
		address := *f.client.apis
		address.RawQuery = query.Encode()
		var list apiList
		err := f.get(ctx, &address, &list)
		if err != nil {
			break
		}
		for _, e := range list.entities {
			all[e.ID] = e.api()
		}
		if number >= list.pages {
			break
		}
	}
	return all
}

// keys reads the keys of all subscriptions, a few at a time. The first failure ends it.
func (f *fetcher) keys(ctx context.Context, subscriptions []Subscription) (*keySet, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		work    = make(chan Subscription)
		found   = newKeySet()
		workers sync.WaitGroup
	)
	for range concurrency {
		workers.Go(func() {
			for s := range work {
				err := f.keysOf(ctx, s, found)
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
		return nil, readError(context.Cause(ctx))
	}
	return found, nil
}

// readError says why a reading ended early: one of its own failures, or the end of its context.
func readError(cause error) error {
	if errors.Is(cause, context.DeadlineExceeded) {
		return fail(Timeout, "the reading as a whole did not end in time")
	}
	return cause
}

// spellings are the last step of the address of a subscription's keys: from 3.12 on, and before.
var spellings = [...]string{"apikeys", "keys"}

// keysOf reads the keys of one subscription.
func (f *fetcher) keysOf(ctx context.Context, s Subscription, found *keySet) error {
	keys, err := keyList[keyEntity](ctx, f, s.ID)
	if err == nil && keys != nil {
		found.add(s, keys)
	}
	return err
}

// keyList asks for the keys of one subscription, first in the spelling that was understood
// last. It is nil where neither is known: then the subscription has just been closed.
func keyList[T any](ctx context.Context, f *fetcher, subscription string) ([]T, error) {
	last := f.client.spelling.Load()
	for _, n := range []int32{last, 1 - last} {
		var keys []T
		err := f.get(ctx, f.client.subscriptions.JoinPath(subscription, spellings[n]), &keys)
		switch {
		case isApplicationMissing(err):
			return nil, fail(NotFound, "the API manager lists the subscriptions, but has no such application in this environment: is environment right?")
		case isKind(err, NotFound):
			continue
		case err != nil:
			return nil, err
		case keys == nil:
			return nil, fail(Invalid, "the answer is JSON, but no list of keys")
		}
		f.client.spelling.Store(n)
		return keys, nil
	}
	return nil, nil
}

// isID keeps out whatever would be more than one step of a path.
func isID(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s, ".") != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// get asks for one document and decodes it into value.
func (f *fetcher) get(ctx context.Context, address *url.URL, value any) error {
	ctx, cancel := context.WithTimeout(ctx, f.client.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return fail(Invalid, "no request can be made of this url")
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+f.token.Reveal())
	request.Header.Set("User-Agent", f.client.userAgent)
	response, err := f.client.transport.RoundTrip(request)
	if err != nil {
		return unanswered(ctx, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	defer clear(body) // it holds keys
	switch {
	case isCanceled(ctx):
		return context.Canceled
	case response.StatusCode != http.StatusOK: // also if the body is cut off
		return refusalOf(response, body)
	case err != nil:
		return cutOff(ctx, err)
	case len(body) > maxAnswer:
		return fail(Invalid, "the answer is larger than 8 MiB")
	}
	return decode(body, value)
}

// decode unmarshals one whole document. An error of encoding/json is dropped, since it may quote the document.
func decode(body []byte, value any) error {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return fail(Invalid, "the answer is a web page: url is probably the address of the console or the portal")
	}
	if !json.Valid(body) {
		return fail(Invalid, "the answer is not JSON, or is cut off")
	}
	err := json.Unmarshal(body, value)
	if isKind(err, Invalid) {
		return err
	}
	if err != nil {
		return fail(Invalid, "the answer is JSON, but not in the form of the Management API v1")
	}
	return nil
}
