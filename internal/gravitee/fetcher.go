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
		var page subscriptionPage
		err := f.get(ctx, f.pageURL(number), &page)
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

// pageURL returns the address of one page of the list. Without status only accepted
// subscriptions would come, and a paused one's key would seem unknown.
func (f *fetcher) pageURL(number int) *url.URL {
	address := *f.client.subscriptions
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

// keys reads the keys of all subscriptions, a few at a time. The first failure ends it.
func (f *fetcher) keys(ctx context.Context, subscriptions []Subscription) ([]Key, error) {
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
	return found.keys(len(subscriptions))
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
		if isKind(err, NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if keys == nil {
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
		return refusal(response.StatusCode, body)
	case err != nil:
		return cutOff(ctx, err)
	case len(body) > maxAnswer:
		return fail(Invalid, "the answer is larger than 8 MiB")
	}
	return decode(body, value)
}

// refusal says what an answer other than 200 means.
func refusal(status int, body []byte) *Error {
	var answer errorEntity
	_ = json.Unmarshal(body, &answer) // anything but an error of Gravitee's leaves it empty
	switch {
	case len(answer.Errors) > 0 && status < http.StatusInternalServerError:
		return portalRefusal(status)
	case status == http.StatusUnauthorized:
		return fail(TokenRejected, "the API manager does not know the token: it is expired, revoked or mistyped (401)")
	case status == http.StatusForbidden:
		return fail(Forbidden, "the token's user lacks the right to read the application's subscriptions "+
			"(APPLICATION_SUBSCRIPTION, read); a member of the application with role USER has it (403)")
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return fail(NotFound, "%s (%d)", notFound(answer), status)
	case status >= http.StatusInternalServerError:
		return fail(ServerError, "the API manager failed (%d)", status)
	case status == http.StatusTooManyRequests:
		return fail(ServerError, "the API manager takes no more requests for now (429)")
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return fail(Invalid, "the answer is a redirect, which is not followed: url is not the base of the Management API (%d)", status)
	}
	return fail(Invalid, "unexpected status %d", status)
}

// portalRefusal explains an answer in the form of the portal's own API, which takes no personal access token.
func portalRefusal(status int) *Error {
	kind := NotFound
	if status == http.StatusUnauthorized {
		kind = TokenRejected
	}
	return fail(kind, "this is the API of the portal; url must be the base of the Management API (%d)", status)
}

// notFound says what the API manager does not have.
func notFound(answer errorEntity) string {
	subject, _, _ := strings.Cut(answer.TechnicalCode, ".")
	switch subject {
	case "application":
		return "the API manager has no such application: is its id right?"
	case "organization", "environment":
		return "the API manager has no such " + subject
	case "":
		return "nothing at this url answers as the Management API; its path usually ends in /management"
	}
	return "the API manager has no such resource"
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
