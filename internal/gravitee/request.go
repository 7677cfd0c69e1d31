package gravitee

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// maxAnswer is several times what a hundred subscriptions take.
const maxAnswer = 8 << 20

// pass is one reading on its way: one token from the first request to the last.
type pass struct {
	client *Client
	token  secret.Value
}

// get asks for one document and decodes it into value.
func (p *pass) get(ctx context.Context, address *url.URL, value any) error {
	ctx, cancel := context.WithTimeout(ctx, p.client.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return fail(Invalid, "no request can be made of this url")
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+p.token.Reveal())
	request.Header.Set("User-Agent", p.client.userAgent)
	response, err := p.client.transport.RoundTrip(request)
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
	var said errorEntity
	_ = json.Unmarshal(body, &said) // what is not an error of Gravitee's says nothing
	switch {
	case len(said.Errors) > 0 && status < http.StatusInternalServerError:
		return ofPortal(status)
	case status == http.StatusUnauthorized:
		return fail(TokenRejected, "the API manager does not know the token: it is expired, revoked or mistyped (401)")
	case status == http.StatusForbidden:
		return fail(Forbidden, "the token's user lacks the right to read the application's subscriptions "+
			"(APPLICATION_SUBSCRIPTION, read); a member of the application with role USER has it (403)")
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return fail(NotFound, "%s (%d)", missing(said), status)
	case status >= http.StatusInternalServerError:
		return fail(ServerError, "the API manager failed (%d)", status)
	case status == http.StatusTooManyRequests:
		return fail(ServerError, "the API manager takes no more requests for now (429)")
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return fail(Invalid, "the answer is a redirect, which is not followed: url is not the base of the Management API (%d)", status)
	}
	return fail(Invalid, "unexpected status %d", status)
}

// ofPortal is about an answer in the form of the portal's own API, which takes no personal access token.
func ofPortal(status int) *Error {
	kind := NotFound
	if status == http.StatusUnauthorized {
		kind = TokenRejected
	}
	return fail(kind, "this is the API of the portal; url must be the base of the Management API (%d)", status)
}

func missing(said errorEntity) string {
	subject, _, _ := strings.Cut(said.TechnicalCode, ".")
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

// errorEntity is what the form of a refusal is told by: the first field is the
// Management API's, the second the portal's. Messages are not even decoded.
type errorEntity struct {
	TechnicalCode string            `json:"technicalCode"`
	Errors        []json.RawMessage `json:"errors"`
}

// decode unmarshals one whole document. What encoding/json says may quote it, and is dropped.
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
