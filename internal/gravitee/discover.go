package gravitee

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Close ends the connections that ContextPath and Disclose leave open for the next of their kind.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Newest returns the newest of a subscription's keys that is neither revoked
// nor expired; false if it has none.
func (r Reading) Newest(s Subscription) (Key, bool) {
	now := time.Now()
	i := slices.IndexFunc(r.Keys, func(k Key) bool {
		return !k.Revoked && !k.hasExpired(now) && slices.Contains(k.Subscriptions, s.ID)
	})
	if i < 0 {
		return Key{}, false
	}
	return r.Keys[i], true
}

// ContextPath returns where the gateways have an API, such as /lonn/v1 and never
// ending in a slash. It is empty where that is not to be known: the subscription
// list does not carry it, and only whoever may see the API may read it. Its
// error is one of Read's.
func (c *Client) ContextPath(ctx context.Context, api string) (string, error) {
	if !isID(api) {
		return "", nil
	}
	p, err := c.pass()
	if err != nil {
		return "", err
	}
	var entity apiEntity
	err = p.get(ctx, c.apis.JoinPath(api), &entity)
	if isKind(err, Forbidden) || isKind(err, NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return entity.path(), nil
}

// apiEntity is an API's definition, as far as it is read.
type apiEntity struct {
	ContextPath string `json:"context_path"`
	Proxy       struct {
		VirtualHosts []struct {
			Path string `json:"path"`
		} `json:"virtual_hosts"`
	} `json:"proxy"`
}

// path takes nothing for a context path that could be more than one in a URL.
func (e apiEntity) path() string {
	path := e.ContextPath
	if len(e.Proxy.VirtualHosts) > 0 {
		path = e.Proxy.VirtualHosts[0].Path
	}
	path = strings.TrimSuffix(path, "/")
	if len(path) > 200 || !regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`).MatchString(path) {
		return ""
	}
	return path
}

// Disclose returns the subscription's key of that hash, in clear text and fit
// for a header, for the one place that stores it. Its error is one of Read's.
func (c *Client) Disclose(ctx context.Context, s Subscription, want Hash) (secret.Value, error) {
	p, err := c.pass()
	if err != nil {
		return secret.Value{}, err
	}
	keys, err := keyList[struct {
		Key string `json:"key"`
	}](ctx, p, s.ID)
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
