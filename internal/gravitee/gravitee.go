// Package gravitee learns from Gravitee's API manager which keys an application
// has, and when they end. It speaks the Management API v1, which serves a
// consumer from Gravitee 3.5 to 4.x, with a personal access token.
//
// The API manager answers with the keys in clear text. They are hashed while an
// answer is decoded; nothing that this package returns or says holds one, except
// the result of Disclose, which is asked for a single key by its hash.
package gravitee

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
	application   *url.URL
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
	scheme         = "Bearer "
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
	application := environment.JoinPath("applications", url.PathEscape(options.Application))
	return &Client{
		application:   application,
		subscriptions: application.JoinPath("subscriptions"),
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
	f, err := c.fetcher()
	if err != nil {
		return Reading{}, err
	}
	defer c.transport.CloseIdleConnections() // the next reading is an hour away
	subscriptions, err := f.subscriptions(ctx)
	if err != nil {
		return Reading{}, err
	}
	if len(subscriptions) == 0 {
		err = f.lookForApplication(ctx)
		if err != nil {
			return Reading{}, err
		}
	}
	found, err := f.keys(ctx, subscriptions)
	if err != nil {
		return Reading{}, err
	}
	r := Reading{Subscriptions: subscriptions}
	err = found.into(&r, len(subscriptions))
	if err != nil {
		return Reading{}, err
	}
	if slices.ContainsFunc(r.Keys, func(k Key) bool { return len(k.Subscriptions) > 1 }) {
		r.APIs = f.apis(ctx)
	}
	r.At = time.Now()
	return r, nil
}

// ReadClosed adds the closed subscriptions to a reading, and the keys that they had, for what is not known otherwise: it
// asks for at most the hundred that the API manager lists first. Its error is one of Read's.
func (c *Client) ReadClosed(ctx context.Context, r Reading) (Reading, error) {
	f, err := c.fetcher()
	if err != nil {
		return r, err
	}
	defer c.transport.CloseIdleConnections()
	closed, _, err := f.page(ctx, "CLOSED", 1)
	if err != nil {
		return r, err
	}
	r.Closed = slices.DeleteFunc(slices.Clone(r.Closed), func(s Subscription) bool {
		return slices.ContainsFunc(closed, func(c Subscription) bool { return c.ID == s.ID })
	})
	r.Closed = append(r.Closed, closed...)
	r.Keys = slices.Clone(r.Keys)
	found, err := f.keys(ctx, closed)
	if err != nil {
		return r, err
	}
	return r, found.into(&r, 0)
}

// ReadAPIs returns what the API manager says of these APIs, by id. It asks for the list of all that the token's user may
// find in the portal, and singly for what is missing there. An API that cannot be read is missing in the result: the only
// error is context.Canceled.
func (c *Client) ReadAPIs(ctx context.Context, ids []string) (map[string]API, error) {
	f, err := c.fetcher()
	if err != nil {
		return map[string]API{}, nil //nolint:nilerr // as it says
	}
	apis := f.apis(ctx)
	for _, id := range ids {
		_, listed := apis[id]
		if listed || !isID(id) {
			continue
		}
		var entity apiEntity
		err = f.get(ctx, c.apis.JoinPath(id), &entity)
		if err == nil {
			apis[id] = entity.api()
		}
	}
	if isCanceled(ctx) {
		return nil, context.Canceled
	}
	return apis, nil
}

// Disclose returns the subscription's key of that hash, in clear text and fit
// for a header, for the one place that stores it. Its error is one of Read's.
func (c *Client) Disclose(ctx context.Context, s Subscription, want Hash) (secret.Value, error) {
	f, err := c.fetcher()
	if err != nil {
		return secret.Value{}, err
	}
	keys, err := keyList[struct {
		Key string `json:"key"`
	}](ctx, f, s.ID)
	if err != nil {
		return secret.Value{}, err
	}
	for _, k := range keys {
		hash := sha256.Sum256([]byte(k.Key))
		if subtle.ConstantTimeCompare(hash[:], want[:]) == 1 {
			return usable(secret.New(k.Key))
		}
	}
	return secret.Value{}, fail(NotFound, "a key is gone that was there a moment ago: somebody has just renewed or removed it; try again")
}

func usable(key secret.Value) (secret.Value, error) {
	value, err := secret.Literal{Value: key}.Read()
	if err != nil {
		return secret.Value{}, fail(Invalid, "a key is empty or not on one line")
	}
	return value, nil
}

// Close ends the connections that ReadAPIs and Disclose leave open for the next of their kind.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// fetcher returns a fetcher with the current token.
func (c *Client) fetcher() (*fetcher, error) {
	token, err := c.token.Read()
	if err != nil {
		return nil, tokenUnreadable(err)
	}
	if len(token.Reveal()) > len(scheme) && strings.EqualFold(token.Reveal()[:len(scheme)], scheme) {
		return nil, fail(TokenUnreadable, `the token begins with "Bearer ": leave that word out, the exporter adds it`)
	}
	return &fetcher{client: c, token: token}, nil
}

// tokenUnreadable passes on the sentence of the source, which names the place but never the content.
func tokenUnreadable(err error) *Error {
	if errors.Is(err, secret.ErrUnusable) {
		return fail(TokenUnreadable, "%s", err)
	}
	return fail(TokenUnreadable, "the token cannot be read: %s", err)
}
