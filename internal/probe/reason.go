package probe

import (
	"errors"
	"fmt"
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
}

// Error says the cause in our own words.
func (f *Failure) Error() string {
	if f.Detail == "" {
		return string(f.Reason)
	}
	return string(f.Reason) + ": " + f.Detail
}

// Fail returns the failure for reason, at the first layer that Explanations lists it under.
func Fail(reason Reason, detail string, args ...any) *Failure {
	return &Failure{Reason: reason, Layer: layerOf(reason), Detail: fmt.Sprintf(detail, args...)}
}

// failAt is Fail with another layer than the reason's first; empty: that one.
func failAt(reason Reason, layer Layer, detail string, args ...any) *Failure {
	failure := Fail(reason, detail, args...)
	if layer != "" {
		failure.Layer = layer
	}
	return failure
}

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
