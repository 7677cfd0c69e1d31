package probe

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Reason is why a probe failed: a closed set, fit for a label.
type Reason string

// Layer is who is at fault: a closed set, fit for a label.
type Layer string

// The layers.
const (
	LayerNetwork  Layer = "network"
	LayerGateway  Layer = "gateway"
	LayerKey      Layer = "key"
	LayerBackend  Layer = "backend"
	LayerBroker   Layer = "broker"
	LayerExporter Layer = "exporter"
)

// The reasons; what each means is in the table that Explain reads.
const (
	ReasonDNS     Reason = "dns"
	ReasonConnect Reason = "connect"
	ReasonTimeout Reason = "timeout"
	ReasonBody    Reason = "body"

	ReasonTLS                Reason = "tls"
	ReasonRedirect           Reason = "redirect"
	ReasonNoSuchAPI          Reason = "no_such_api"
	ReasonGatewayTimeout     Reason = "gateway_timeout"
	ReasonGatewayUnavailable Reason = "gateway_unavailable"
	ReasonGatewayError       Reason = "gateway_error"
	ReasonInvalidResponse    Reason = "invalid_response"
	ReasonNotRefused         Reason = "not_refused"
	ReasonStatus             Reason = "status"

	ReasonKeyRejected   Reason = "key_rejected"
	ReasonForbidden     Reason = "forbidden"
	ReasonRateLimited   Reason = "rate_limited"
	ReasonLoginRefused  Reason = "login_refused"
	ReasonVhostRefused  Reason = "vhost_refused"
	ReasonNotPermitted  Reason = "not_permitted"
	ReasonKeyExpired    Reason = "key_expired"
	ReasonKeyRevoked    Reason = "key_revoked"
	ReasonKeyUnreadable Reason = "key_unreadable"

	ReasonBackendUnauthorized Reason = "backend_unauthorized"
	ReasonBackendForbidden    Reason = "backend_forbidden"
	ReasonNotFound            Reason = "not_found"
	ReasonBackendUnreachable  Reason = "backend_unreachable"
	ReasonBackendTimeout      Reason = "backend_timeout"
	ReasonBackendError        Reason = "backend_error"
	ReasonNotJSON             Reason = "not_json"
	ReasonExpectation         Reason = "expectation"
	ReasonTooLarge            Reason = "too_large"
	ReasonSlow                Reason = "slow"

	ReasonProtocol        Reason = "protocol"
	ReasonBrokerTimeout   Reason = "broker_timeout"
	ReasonDisconnected    Reason = "disconnected"
	ReasonVhostMissing    Reason = "vhost_missing"
	ReasonExchangeMissing Reason = "exchange_missing"
	ReasonQueueMissing    Reason = "queue_missing"
	ReasonConnectionLimit Reason = "connection_limit"
	ReasonBlocked         Reason = "blocked"
	ReasonRoundTrip       Reason = "roundtrip"

	ReasonPanic     Reason = "panic"
	ReasonResources Reason = "resources"
	ReasonInternal  Reason = "internal"
)

// Failure is a failed probe with its cause.
type Failure struct {
	Reason Reason
	Layer  Layer
	Detail string // one of our own sentences with nothing foreign in it; may be empty
	// What is known better than by reason and layer: sentences as in Explanation; may be empty.
	Meaning, Next string
}

// Error says the cause in our own words.
func (f *Failure) Error() string {
	if f.Detail == "" {
		return string(f.Reason)
	}
	return string(f.Reason) + ": " + f.Detail
}

// failAt is Fail with another layer than the reason's first; empty: that one.
func failAt(reason Reason, layer Layer, detail string, args ...any) *Failure {
	failure := Fail(reason, detail, args...)
	if layer != "" {
		failure.Layer = layer
	}
	return failure
}

// Fail returns the failure for reason, at the first layer that Explanations lists it under.
func Fail(reason Reason, detail string, args ...any) *Failure {
	return &Failure{Reason: reason, Layer: layerOf(reason), Detail: fmt.Sprintf(detail, args...)}
}

// TLSFault implements what package tlsfault looks for.
func (f *Failure) TLSFault() string { return f.Detail }

// ReasonOf names the cause of a probe's error. Both are empty for nil; an
// error that no prober has classified is the exporter's own fault.
func ReasonOf(err error) (Reason, Layer) {
	var failure *Failure
	switch {
	case err == nil:
		return "", ""
	case errors.As(err, &failure):
		return failure.Reason, failure.Layer
	}
	return ReasonInternal, LayerExporter
}

// DetailOf returns the sentence that goes with a probe's error, or nothing.
func DetailOf(err error) string {
	var failure *Failure
	if errors.As(err, &failure) {
		return failure.Detail
	}
	return ""
}

func layerOf(reason Reason) Layer {
	for _, e := range explanations {
		if e.Reason == reason {
			return e.Layer
		}
	}
	return LayerExporter
}

// Explanation is what a person is told about a reason.
type Explanation struct {
	Reason  Reason
	Layer   Layer
	Meaning string // one sentence: what it means
	Next    string // one sentence: what to do next
}

// Explanations returns the whole closed set, by layer. A reason that two
// layers share has a row for each.
func Explanations() []Explanation { return slices.Clone(explanations) }

// Explain returns the explanation of reason at layer; the zero value if there is none.
func Explain(reason Reason, layer Layer) Explanation {
	for _, e := range explanations {
		if e.Reason == reason && e.Layer == layer {
			return e
		}
	}
	return Explanation{}
}

// ExplainError returns the explanation of a probe's error; the zero value for nil.
func ExplainError(err error) Explanation {
	explained := Explain(ReasonOf(err))
	var failure *Failure
	if errors.As(err, &failure) {
		explained.Meaning, explained.Next = cmp.Or(failure.Meaning, explained.Meaning), cmp.Or(failure.Next, explained.Next)
	}
	return explained
}

var explanations = []Explanation{
	{
		ReasonDNS, LayerNetwork,
		"The host name could not be resolved.",
		"Check the host name in gateway or broker, and the resolver on the exporter's machine.",
	},
	{
		ReasonConnect, LayerNetwork,
		"The host refused the connection or cannot be reached.",
		"Check the firewall, route and port; if all targets on this host fail, ask the platform's operations team.",
	},
	{
		ReasonTimeout, LayerNetwork,
		"The probe timed out while connecting or during the TLS handshake, before it sent anything.",
		"Look for a firewall that drops packets or an overloaded host; compare with other targets on the same host.",
	},
	{
		ReasonBody, LayerNetwork,
		"The answer began but was cut off, or did not end in time.",
		"Repeat the request by hand; if that answer is cut off too, look for a proxy on the way, or for a gateway or backend that restarts.",
	},
	{
		ReasonTLS, LayerGateway,
		"The gateway's TLS handshake failed or its certificate cannot be trusted.",
		"Ask the platform's operations team to renew or correct the certificate; if its issuer is private, set tls.ca_file.",
	},
	{
		ReasonRedirect, LayerGateway,
		"The answer redirects elsewhere; the exporter did not follow, so the key stays with its gateway.",
		"Correct the path (often the slash at its end is missing) or have the redirect removed from the API.",
	},
	{
		ReasonNoSuchAPI, LayerGateway,
		"The gateway has no API at this path: the context path is unknown, or the API is stopped or not deployed.",
		"Compare the path with the API's context path in the API manager, and check that the API is started and has a published plan; a gateway that has just started says so of every API for some seconds.",
	},
	{
		ReasonGatewayTimeout, LayerGateway,
		"The request was sent, but no answer came in time.",
		"Check whether other APIs on this gateway answer; if not, ask the platform's operations team, otherwise the API's owner. The gateway itself gives up on a backend after 10 s, so keep timeout above that.",
	},
	{
		ReasonGatewayUnavailable, LayerGateway,
		"The platform's router found no running gateway behind this address.",
		"Ask the platform's operations team: the gateway is down or being upgraded.",
	},
	{
		ReasonGatewayError, LayerGateway,
		"The gateway itself answered with an error.",
		"Look up the transaction id in the API manager's logs; the usual causes are a broken policy, a plan whose condition cannot be evaluated, or a store of limits that is down.",
	},
	{
		ReasonInvalidResponse, LayerGateway,
		"The connection was closed or reset before an answer came, or the answer was not HTTP.",
		"Check that the port is the gateway's; if this happens only now and then, look for restarts of the gateway.",
	},
	{
		ReasonNotRefused, LayerGateway,
		"The API answered a request without a valid key: anyone may be able to read its data.",
		"Close the API's keyless plan in the API manager at once, then find out who has used it.",
	},
	{
		ReasonStatus, LayerGateway,
		"The HTTP status is not the expected one.",
		"Repeat the request by hand and compare; if the status is right for this request, list it in expect.status (for kind auth, in unauthenticated.status).",
	},
	{
		ReasonKeyRejected, LayerKey,
		"The gateway does not accept the API key.",
		"Compare the key and its subscription in the API manager: the key may be mistyped, renewed, revoked or expired, the subscription paused, closed, ended, not yet begun or of another API, or the plan's condition not met.",
	},
	{
		ReasonForbidden, LayerKey,
		"The gateway accepts the key but does not allow this request.",
		"Check that the subscription's plan covers this path and method, and that this machine's address is allowed.",
	},
	{
		ReasonRateLimited, LayerKey,
		"The key's rate limit or quota is used up.",
		"Give the exporter its own application and subscription, lengthen interval, or have the limit raised.",
	},
	{
		ReasonLoginRefused, LayerKey,
		"The broker refused the user name or password.",
		"Compare both with the self-service portal; if the broker refuses all applications at once, the portal that authenticates them is down.",
	},
	{
		ReasonVhostRefused, LayerKey,
		"The broker accepted the login, but the user may not use this vhost.",
		"Check the vhost's name and the user's permissions in the self-service portal.",
	},
	{
		ReasonNotPermitted, LayerKey,
		"The user may not publish the message of the round trip.",
		"Grant the user write permission on the default exchange, or switch roundtrip off.",
	},
	{
		ReasonKeyExpired, LayerKey,
		"The key's end date has passed.",
		"Renew the key and put the new one where the configuration points; if the subscription has ended, subscribe again, since extending it then revives no key.",
	},
	{
		ReasonKeyRevoked, LayerKey,
		"The key has been revoked, or its subscription closed, in the API manager.",
		"Ask the API's owner why, then have a new key issued and put it where the configuration points.",
	},
	{
		ReasonKeyUnreadable, LayerKey,
		"The file or variable that holds the key or password cannot be read.",
		"Check that it exists, is not empty, and can be read by the user that the exporter runs as.",
	},
	{
		ReasonBackendUnauthorized, LayerBackend,
		"The backend does not accept the gateway's credentials.",
		"Check the backend key or password in the API's properties, and the Maskinporten key where one is used; if the backend is another gateway, it refuses that key.",
	},
	{
		ReasonBackendForbidden, LayerBackend,
		"The backend refuses this request from the gateway.",
		"Check which rights and scopes the gateway's account has on the backend.",
	},
	{
		ReasonNotFound, LayerBackend,
		"The backend does not know this path.",
		"Compare the path with the backend's documentation, and the API's endpoint in the API manager.",
	},
	{
		ReasonBackendUnreachable, LayerBackend,
		"The gateway cannot connect to the backend.",
		"Ask the backend's owner whether it is running; then check the API's endpoint, the firewall in between, and whether the gateway's pool of connections is full.",
	},
	{
		ReasonBackendTimeout, LayerBackend,
		"The backend did not answer the gateway in time.",
		"Ask the backend's owner: it is stopped, overloaded or unreachable from the gateway.",
	},
	{
		ReasonBackendError, LayerBackend,
		"The backend answered with a server error.",
		"Look up the transaction id in the logs and pass it on to the backend's owner; a short burst is often a restart.",
	},
	{
		ReasonStatus, LayerBackend,
		"The backend answered with an HTTP status that is not the expected one.",
		"Repeat the request by hand and ask the backend's owner; if the status is right for this request, list it in expect.status.",
	},
	{
		ReasonRedirect, LayerBackend,
		"The backend redirects elsewhere; the exporter did not follow, so the key stays with its gateway.",
		"Correct the path (often the slash at its end is missing) or the API's endpoint in the API manager.",
	},
	{
		ReasonRateLimited, LayerBackend,
		"The backend's own limit on the gateway's requests is used up.",
		"Ask the backend's owner to raise the limit for the gateway's account; a longer interval helps only if the exporter uses up most of it.",
	},
	{
		ReasonNotJSON, LayerBackend,
		"The answer has the expected status but is not JSON.",
		"Repeat the request by hand: the usual causes are an error page with status 200 or an empty answer.",
	},
	{
		ReasonExpectation, LayerBackend,
		"The answer does not meet the expectations in the configuration.",
		"Compare the answer with expect.jq and expect.headers by hand; correct the backend or the expectation.",
	},
	{
		ReasonTooLarge, LayerBackend,
		"The answer is larger than max_body_size.",
		"Request less data through the path or its parameters, or raise max_body_size.",
	},
	{
		ReasonSlow, LayerBackend,
		"The answer is right, but it took longer than max_duration.",
		"Look at the phases: processing is the gateway and the backend, the others are the network.",
	},
	{
		ReasonTLS, LayerBroker,
		"The broker's TLS handshake failed or its certificate cannot be trusted.",
		"Ask the platform's operations team to renew or correct the certificate; if its issuer is private, set tls.ca_file.",
	},
	{
		ReasonProtocol, LayerBroker,
		"The port answers but does not speak AMQP 0-9-1.",
		"Check that the port is the broker's AMQP port, not its management page.",
	},
	{
		ReasonBrokerTimeout, LayerBroker,
		"The broker accepted the connection but did not answer the next step in time.",
		"Ask the platform's operations team whether the broker is overloaded or is waiting for the service that authenticates users.",
	},
	{
		ReasonDisconnected, LayerBroker,
		"The broker closed the connection before the probe was done.",
		"Check whether the broker has restarted; if the failure persists, ask the platform's operations team.",
	},
	{
		ReasonVhostMissing, LayerBroker,
		"The vhost does not exist.",
		"Check that the application is registered in the self-service portal and that vhost is spelled the same way.",
	},
	{
		ReasonExchangeMissing, LayerBroker,
		"An exchange that should exist is missing.",
		"Check in the self-service portal that the application is set up to publish.",
	},
	{
		ReasonQueueMissing, LayerBroker,
		"A queue that should exist is missing.",
		"Check in the self-service portal that access to the producer has been granted; the shovel creates the queue.",
	},
	{
		ReasonConnectionLimit, LayerBroker,
		"The broker allows no more connections for this user, vhost or node.",
		"Find the client that leaks connections on the broker's management page, or have the limit raised.",
	},
	{
		ReasonBlocked, LayerBroker,
		"The broker accepts no messages because it is short of memory or disk space.",
		"Ask the platform's operations team; look for queues that nobody empties.",
	},
	{
		ReasonRoundTrip, LayerBroker,
		"The published message was not confirmed or did not come back.",
		"Ask the platform's operations team to check the broker's log at that time.",
	},
	{
		ReasonPanic, LayerExporter,
		"The probe crashed because of a bug in the exporter.",
		"Report it with the stack trace from the log; other targets are not affected.",
	},
	{
		ReasonResources, LayerExporter,
		"The exporter or its machine ran out of file descriptors, ports, memory or slots for jq.",
		"Raise the limit (ulimit -n), lower max_concurrent, or move targets to another exporter.",
	},
	{
		ReasonInternal, LayerExporter,
		"The probe failed in a way that the exporter cannot classify.",
		"Report it with the log at debug level.",
	},
}
