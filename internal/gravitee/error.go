package gravitee

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/integra-exporter/integra_exporter/internal/tlsfault"
)

// Kind is why a reading failed. The set is closed.
type Kind string

// The kinds, in the order in which a reading meets them.
const (
	TokenUnreadable Kind = "token_unreadable" // the file or variable is missing, or holds no token
	Unreachable     Kind = "unreachable"      // no such host, refused, closed before an answer
	TLS             Kind = "tls"
	Timeout         Kind = "timeout"
	TokenRejected   Kind = "token_rejected" // 401
	Forbidden       Kind = "forbidden"      // 403: the token's user lacks a right
	NotFound        Kind = "not_found"      // wrong url, organization, environment or application, by what is answered there
	ServerError     Kind = "server_error"   // 5xx and 429
	Invalid         Kind = "invalid"        // an answer that is not the Management API's
)

// Error is why a reading failed. Its text is our own: nothing of an answer is in it.
type Error struct {
	Kind    Kind
	Detail  string // one sentence, for people
	missing string // what the API manager does not have, in its words; empty: it did not say
}

// Error implements error.
func (e *Error) Error() string { return string(e.Kind) + ": " + e.Detail }

// unanswered says why a request got no answer.
func unanswered(ctx context.Context, err error) error {
	sentence, isTLS := tlsfault.Describe(err)
	switch {
	case isCanceled(ctx):
		return context.Canceled
	case isTimeout(ctx, err):
		return fail(Timeout, "no answer in time; an API manager that holds many tokens takes that long to refuse one that it does not know")
	case isTLS:
		return fail(TLS, "%s", sentence)
	}
	return fail(Unreachable, "%s", connectFault(err))
}

// cutOff says why an answer ended in the middle.
func cutOff(ctx context.Context, err error) error {
	switch {
	case isCanceled(ctx):
		return context.Canceled
	case isTimeout(ctx, err):
		return fail(Timeout, "the answer did not end in time")
	}
	return fail(Invalid, "the connection was closed in the middle of the answer")
}

func isCanceled(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

func isTimeout(ctx context.Context, err error) bool {
	var network net.Error
	return errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

func connectFault(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &dns):
		return "the resolver answered with an error or not at all"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "no route to the host"
	}
	return "no connection, or it was closed before an answer"
}

func fail(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

func isKind(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}
