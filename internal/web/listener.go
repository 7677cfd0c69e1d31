package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

const shutdownTimeout = 4 * time.Second // of the five that a stop may take

// Serve serves handler on the listeners of flags until ctx ends or one of them fails, then lets requests finish. It calls
// bound with the address of each listener, such as http://localhost:10056, once it is bound.
func Serve(ctx context.Context, handler http.Handler, flags *toolkit.FlagConfig, log *slog.Logger, bound func(address string)) error {
	server := newServer(newWebDemands(*flags.WebConfigFile, log).guard(handler), log, defaultLimits())
	// The toolkit opens the listeners; the server calls this when it begins to serve one.
	server.BaseContext = func(l net.Listener) context.Context {
		encrypted := server.TLSConfig != nil && server.TLSConfig.GetConfigForClient != nil // which only the toolkit sets
		bound(listenerURL(l.Addr(), encrypted))
		return context.Background()
	}
	failed := make(chan error, 1)
	go func() { failed <- toolkit.ListenAndServe(server, flags, slog.New(webConfigLog{log.Handler()})) }()
	select {
	case err := <-failed:
		var at *net.OpError
		if errors.As(err, &at) && at.Op == "listen" {
			return fmt.Errorf("cannot serve: %w; choose another with --web.listen-address", err)
		}
		return fmt.Errorf("cannot serve: %w", err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(limit)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close() // a client reads for ever
	}
	return err
}

// listenerURL returns the URL by which a browser on this machine reaches a listener; network and address where none can.
func listenerURL(address net.Addr, encrypted bool) string {
	tcp, isTCP := address.(*net.TCPAddr)
	if !isTCP {
		return address.Network() + " " + address.String()
	}
	scheme, host := "http", address.String()
	if encrypted {
		scheme = "https"
	}
	if tcp.IP.IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return scheme + "://" + host
}
