// Package gravitee learns from Gravitee's API manager which keys an application
// has, and when they end. It speaks the Management API v1, which serves a
// consumer from Gravitee 3.5 to 4.x, with a personal access token.
//
// The API manager answers with the keys in clear text. They are hashed while an
// answer is decoded; nothing that this package returns or says holds one, but
// for Disclose, which is asked for a single key by its hash.
package gravitee

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Options say where an application is read, and as whom. URL, Application and Token are required.
type Options struct {
	URL          *url.URL // base of the Management API: https://…/management
	Organization string   // empty: DEFAULT
	Environment  string   // empty: DEFAULT
	Application  string   // its id
	Token        secret.Source
	TLS          *tls.Config   // nil: the system's roots
	UserAgent    string        // empty: none is sent
	Timeout      time.Duration // of one request; zero: 15s
}

// Client reads one application. Its methods may be called at the same time.
type Client struct {
	subscriptions *url.URL // the list; below it lies a subscription's own address
	apis          *url.URL // below it lies an API's
	token         secret.Source
	userAgent     string
	timeout       time.Duration
	transport     *http.Transport // and no http.Client: nothing follows a redirect, which would take the token along
	spelling      atomic.Int32    // the last that was understood: an index into spellings
}

const (
	defaultID      = "DEFAULT"
	defaultTimeout = 15 * time.Second
	handshakeLimit = 10 * time.Second // a dial may outlive the request that asked for it, but not by much
	concurrency    = 4                // requests at a time: the API manager serves people too
	maxHeaderBytes = 64 << 10
)

// New returns a client. It connects to nothing yet.
func New(options Options) *Client {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if options.TLS != nil {
		config = options.TLS.Clone()
	}
	transport := &http.Transport{ // without Proxy: the environment's are ignored
		DialContext:            (&net.Dialer{Timeout: handshakeLimit}).DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    handshakeLimit,
		MaxConnsPerHost:        concurrency,
		MaxIdleConnsPerHost:    concurrency,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // so that what is bounded is what is read
		Protocols:              new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(true)
	environment := options.URL.JoinPath(
		"organizations", url.PathEscape(cmp.Or(options.Organization, defaultID)),
		"environments", url.PathEscape(cmp.Or(options.Environment, defaultID)),
	)
	return &Client{
		subscriptions: environment.JoinPath("applications", url.PathEscape(options.Application), "subscriptions"),
		apis:          environment.JoinPath("apis"),
		token:         options.Token,
		userAgent:     options.UserAgent,
		timeout:       cmp.Or(options.Timeout, defaultTimeout),
		transport:     transport,
	}
}

// Read reads all accepted and paused subscriptions and their keys, or nothing:
// a part of it would pass for the whole. Its error is an *Error, or
// context.Canceled when ctx was canceled.
func (c *Client) Read(ctx context.Context) (Reading, error) {
	p, err := c.pass()
	if err != nil {
		return Reading{}, err
	}
	defer c.transport.CloseIdleConnections() // the next pass is an hour away
	subscriptions, err := p.subscriptions(ctx)
	if err != nil {
		return Reading{}, err
	}
	keys, err := p.keys(ctx, subscriptions)
	if err != nil {
		return Reading{}, err
	}
	return Reading{At: time.Now(), Subscriptions: subscriptions, Keys: keys}, nil
}

// pass begins a reading: the token is read anew for each.
func (c *Client) pass() (*pass, error) {
	token, err := c.token.Read()
	if err != nil {
		return nil, tokenUnreadable(err)
	}
	return &pass{client: c, token: token}, nil
}

// tokenUnreadable passes the source's sentence on: it names the place, never the content.
func tokenUnreadable(err error) *Error {
	if errors.Is(err, secret.ErrUnusable) {
		return fail(TokenUnreadable, "%s", err)
	}
	return fail(TokenUnreadable, "the token cannot be read: %s", err)
}
