package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
)

// failed turns the error of a request that got no complete answer into its
// cause, by the phase in which it happened. A canceled probe has no cause: it
// returns context.Canceled, which nobody reports.
func failed(ctx context.Context, phase Phase, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	sentence, isTLS := tlsFault(err)
	switch {
	case errors.Is(err, errTooManyDials): // a dial before it may still go on: the phase says nothing
		return Fail(ReasonInvalidResponse, closedEarly)
	case isExhausted(err):
		return Fail(ReasonResources, "no descriptor, port or memory for a connection")
	case isTimeout(ctx, err):
		return timedOut(phase)
	case isDNS(err):
		return Fail(ReasonDNS, "%s", dnsFault(err))
	case isTLS:
		return Fail(ReasonTLS, "%s", sentence)
	case phase == PhaseTLS:
		return Fail(ReasonTLS, "%s", handshakeFault(err))
	case phase == PhaseConnect:
		return Fail(ReasonConnect, "%s", connectFault(err))
	case phase == PhaseTransfer:
		return Fail(ReasonInvalidResponse, "the answer is not HTTP, or was cut off in its header")
	case phase == PhaseProcessing:
		return Fail(ReasonInvalidResponse, closedEarly)
	}
	return Fail(ReasonInternal, "the request could not be made")
}

const closedEarly = "the connection was closed before an answer, or the answer is not HTTP"

// timedOut is the cause of a deadline in phase.
func timedOut(phase Phase) *Failure {
	switch phase {
	case PhaseNone:
		return Fail(ReasonTimeout, "before anything was sent")
	case PhaseResolve:
		return Fail(ReasonDNS, "no answer from the resolver in time")
	case PhaseProcessing:
		return Fail(ReasonGatewayTimeout, "")
	case PhaseTransfer:
		return Fail(ReasonBody, "the answer did not end in time")
	}
	return Fail(ReasonTimeout, "while in phase %s", phase)
}

// isTimeout says whether the probe's time is up, or the system gave up connecting.
func isTimeout(ctx context.Context, err error) bool {
	return errors.Is(ctx.Err(), context.DeadlineExceeded) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, syscall.ETIMEDOUT)
}

// isExhausted says whether this machine, not the other side, lacks something.
func isExhausted(err error) bool {
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS} {
		if errors.Is(err, lack) {
			return true
		}
	}
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return !lacksFamily(err) // out of ports
	}
	// The resolver keeps only the text of the error that stopped it.
	var dns *net.DNSError
	return errors.As(err, &dns) && strings.Contains(dns.Err, syscall.EMFILE.Error())
}

// lacksFamily says whether this machine has no address of the family that it
// tried to connect from: what the other family says counts then.
func lacksFamily(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) {
		return false
	}
	addr, ok := op.Addr.(*net.TCPAddr)
	unavailable := errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.ENETUNREACH) ||
		errors.Is(err, syscall.EAFNOSUPPORT)
	return unavailable && ok && addr.IP.To4() == nil
}

func isDNS(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}

func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

func dnsFault(err error) string {
	if isNotFound(err) {
		return "no such host"
	}
	return "the resolver answered with an error or not at all"
}

// handshakeFault names the end of a handshake that no alert, certificate or deadline explains.
func handshakeFault(err error) string {
	var system syscall.Errno
	if isEnd(err) || errors.As(err, &system) || errors.Is(err, net.ErrClosed) {
		return "the connection was closed during the handshake"
	}
	return "the handshake breaks the rules of TLS, or no version or cipher is in common"
}

func connectFault(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "no route to the host"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	}
	return "no connection"
}
