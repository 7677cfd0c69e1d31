package gravitee

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// refused is an answer other than 200, as far as it is looked at. Nothing of it is ever shown.
type refused struct {
	errorEntity
	status      int
	fromPortal  bool
	fromGateway bool
}

// refusals say what an answer other than 200 means, and what to change; the first that fits counts.
var refusals = []struct {
	from, to int // statuses, inclusive
	when     func(*refused) bool
	kind     Kind
	sentence string
}{
	{
		300, 499, func(r *refused) bool { return r.fromPortal },
		NotFound, "this is the API of the portal: url must be the base of the Management API, which usually ends in /management",
	},
	{
		300, 599, func(r *refused) bool { return r.fromGateway },
		NotFound, "this is a gateway: url must be the base of the API manager's Management API, which usually ends in /management",
	},
	{401, 401, always, TokenRejected, "the API manager does not know the token: it is expired, revoked or mistyped"},
	{
		403, 403, always,
		Forbidden, "the token's user lacks the right to read the application's subscriptions (APPLICATION_SUBSCRIPTION, read), " +
			"which a member of the application with role USER has, or the application is archived",
	},
	{
		400, 400, says("Invalid organization or environment"),
		NotFound, "the API manager has no such organization or environment: correct organization or environment, usually both are DEFAULT",
	},
	{
		500, 500, says("No value present"),
		NotFound, "the API manager fails as it does for an organization that it does not have: correct organization, usually it is DEFAULT",
	},
	{404, 405, missing("application"), NotFound, "the API manager has no such application: correct application, the id in the address of its page in the console"},
	{404, 405, missing("organization"), NotFound, "the API manager has no such organization: correct organization"},
	{404, 405, missing("environment"), NotFound, "the API manager has no such environment: correct environment"},
	{
		404, 405, missing(""), NotFound,
		"nothing at this url answers as the Management API: url usually ends in /management, without /organizations, /v2 or what follows",
	},
	{404, 405, always, NotFound, "the API manager has no such resource"},
	{429, 429, always, ServerError, "the API manager takes no more requests for now"},
	{500, 500, always, ServerError, "the API manager failed; some versions from 4.9 to 4.12 do so where application is not the id of one that exists"},
	{501, 599, always, ServerError, "the API manager failed"},
	{300, 399, always, Invalid, "the answer is a redirect, which is not followed: url is not the base of the Management API"},
}

// refusalOf says what an answer other than 200 means.
func refusalOf(response *http.Response, body []byte) *Error {
	r := &refused{status: response.StatusCode}
	_ = json.Unmarshal(body, &r.errorEntity) // anything but an error of Gravitee's leaves it empty
	r.fromPortal = len(r.Errors) > 0 || strings.Contains(response.Header.Get("WWW-Authenticate"), "Portal API")
	r.fromGateway = r.HTTPStatusCode > 0 || string(body) == "No context-path matches the request URI."
	for _, rule := range refusals {
		if rule.from <= r.status && r.status <= rule.to && rule.when(r) {
			failure := fail(rule.kind, "%s (%d)", rule.sentence, r.status)
			failure.missing = r.subject()
			return failure
		}
	}
	return fail(Invalid, "unexpected status %d", r.status)
}

func always(*refused) bool { return true }

func says(message string) func(*refused) bool {
	return func(r *refused) bool { return r.Message == message }
}

// missing is for what the API manager does not have; empty: it does not say.
func missing(subject string) func(*refused) bool {
	return func(r *refused) bool { return r.subject() == subject }
}

func (r *refused) subject() string {
	subject, _, _ := strings.Cut(r.TechnicalCode, ".")
	return subject
}

func isApplicationMissing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == NotFound && e.missing == "application"
}
