// Package discover makes a configuration of what an application has subscribed to in Gravitee's API manager.
package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/catalogue"
	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// Options are what the flags of discover say. Only Gateway, CAFile, ServerName and KeysDir may be empty.
type Options struct {
	Institution                 string // its name in the configuration
	URL, Application, TokenFile string // of the API manager
	Organization, Environment   string // in the API manager
	Gateway                     string // its URL; empty: it follows from the institution's name
	CAFile, ServerName          string // of the API manager and the gateway
	KeysDir                     string // where keys are written; empty: no key is
	UserAgent                   string
	Out                         io.Writer // for the configuration
	Err                         io.Writer // for a summary
}

// Run reads the application's subscriptions, writes their keys, and prints a configuration for them. It prints when
// nothing else can fail any more.
func Run(ctx context.Context, o Options) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	defer client.Close()
	found, err := o.find(ctx, client)
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case err != nil:
		return fmt.Errorf("cannot read the API manager: %w", err)
	case len(found) == 0:
		return errors.New("the application has no accepted subscription: subscribe to the APIs first")
	}
	written := ""
	if o.KeysDir != "" {
		written, err = o.discloseKeys(ctx, client, found)
		if err != nil {
			return err
		}
	}
	err = o.print(found)
	if err != nil {
		return fmt.Errorf("cannot write the configuration: %w", err)
	}
	_, err = fmt.Fprintf(o.Err, "%s with a usable key, %d of them with a GUESS to look at%s\n",
		view.Plural(len(filterUsable(found, true)), "API", "APIs"), countGuesses(found), written)
	return err
}

// client checks what can be wrong with the flags.
func (o Options) client() (*gravitee.Client, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`).MatchString(o.Institution) {
		return nil, errors.New("--institution must be a name such as uio, of letters, digits, dots and hyphens")
	}
	base, err := parseURL("gravitee.url", o.URL)
	if err != nil {
		return nil, err
	}
	if o.Gateway != "" {
		_, err = parseURL("gateway", o.Gateway)
		if err != nil {
			return nil, err
		}
	}
	config, err := probe.TLS{CAFile: o.CAFile, ServerName: o.ServerName}.Config()
	if err != nil {
		return nil, fmt.Errorf("--tls.ca-file: %w", err)
	}
	return gravitee.New(gravitee.Options{
		URL: base, Organization: o.Organization, Environment: o.Environment, Application: o.Application,
		Token: secret.NewFile(o.TokenFile), TLS: config, UserAgent: o.UserAgent,
	}), nil
}

// parseURL reads a flag's URL. Its error does not repeat it: it may hold a password.
func parseURL(flag, s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return nil, fmt.Errorf("--%s must be a URL that begins with https://", flag)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("--%s must have no user, password, query or fragment", flag)
	}
	return u, nil
}

// finding is a subscription, and what a configuration can say of it. The template uses what is exported.
type finding struct {
	gravitee.Subscription
	Name       string // in the configuration and of the key's file: a-z, 0-9 and hyphens, no other finding's
	context    string // path; empty: not to be known
	Stopped    bool   // the API, in the API manager
	NotBegun   bool   // the subscription
	entry      catalogue.Entry
	Documented bool // entry is its request
	Key        gravitee.Key
	usable     bool // Key is one
}

// find reads the application and names what it finds. The order and the names
// depend on nothing but what was read.
func (o Options) find(ctx context.Context, client *gravitee.Client) ([]finding, error) {
	reading, err := client.Read(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, s := range reading.Subscriptions {
		ids = append(ids, s.API)
	}
	apis, err := client.ReadAPIs(ctx, ids)
	if err != nil {
		return nil, err
	}
	documented, host := catalogue.Load(), o.gatewayHost()
	var found []finding
	for _, s := range reading.Subscriptions {
		api := apis[s.API]
		f := finding{Subscription: s, context: api.Path(host), Stopped: api.Stopped, NotBegun: time.Now().Before(s.Begins)}
		f.entry, f.Documented = documented.Find(f.context, s.APIName, s.PlanName)
		f.Key, f.usable = reading.Newest(s)
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.preferredName(), b.preferredName()), cmp.Compare(a.Path(), b.Path()),
			cmp.Compare(a.PlanName, b.PlanName), cmp.Compare(a.ID, b.ID))
	})
	nameAll(found)
	return found, nil
}

// gatewayHost is where the configuration will look for the APIs.
func (o Options) gatewayHost() string {
	gateway, err := url.Parse(cmp.Or(o.Gateway, config.DefaultGateway(o.Institution)))
	if err != nil {
		return ""
	}
	return gateway.Hostname()
}

// nameAll gives each finding a name of its own: with its plan, and with a number
// where that does not tell them apart either.
func nameAll(found []finding) {
	taken := map[string]bool{}
	for i := range found {
		f := &found[i]
		f.Name = f.preferredName()
		plan := slug(f.PlanName)
		if taken[f.Name] && plan != "" {
			f.Name += "-" + plan
		}
		for base, n := f.Name, 2; taken[f.Name]; n++ {
			f.Name = fmt.Sprintf("%s-%d", base, n)
		}
		taken[f.Name] = true
	}
}

// preferredName is the name, unless another finding has it.
func (f finding) preferredName() string {
	if f.Documented {
		return f.entry.Name
	}
	return cmp.Or(slug(f.APIName), "api")
}

func countGuesses(found []finding) (n int) {
	for _, f := range filterUsable(found, true) {
		if f.GuessedPath() || !f.Documented {
			n++
		}
	}
	return n
}
