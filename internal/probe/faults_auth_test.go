package probe

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// authRow is a way in which the negative test goes: what is answered without a key, and with a wrong one.
type authRow struct {
	name           string
	stranger, liar string
	want           sight
}

func (r authRow) fault() Fault {
	return Fault{"Without a key", r.name, AtOnce, r.want.Reason, r.want.Layer, r.inject}
}

func (r authRow) inject(t *testing.T) Trial {
	l := newLab(t)
	d := l.gateway(keyed(writes(r.stranger), writes(r.liar)))
	return Trial{l.plan(d.port).auth(), func(seen Observation, err error) string {
		return cmp.Diff(r.want, sightOf(seen, err))
	}}
}

func authFaults() []Fault {
	open := response("200 OK", goodJSON)
	of := func(reason Reason, layer Layer, status int) sight { return decided(reason, layer, status, 0) }
	var all []Fault
	for _, r := range []authRow{
		{"the API answers without a key", open, refusal, of(ReasonNotRefused, LayerGateway, 200)},
		{"the API answers a wrong key", refusal, open, of(ReasonNotRefused, LayerGateway, 200)},
		{"it answers with nothing in it (204)", "HTTP/1.1 204 No Content\r\n\r\n", refusal, of(ReasonNotRefused, LayerGateway, 204)},
		{"403 instead of 401", response("403 Forbidden", shape(403, canary)), refusal, of(ReasonStatus, LayerGateway, 403)},
		{"a redirect to a login page", response("302 Found", "", "Location: https://"+canary+".test/"), refusal, of(ReasonRedirect, LayerGateway, 302)},
		{"the API is not there", response("404 Not Found", noContextPath), refusal, decided(ReasonNoSuchAPI, LayerGateway, 404, len(noContextPath))},
		{"no gateway runs", response("503 x", routerPage, htmlType), refusal, decided(ReasonGatewayUnavailable, LayerGateway, 503, len(routerPage))},
		{"closed on a wrong key", refusal, "", sight{Reason: ReasonInvalidResponse, Layer: LayerGateway, Cert: verified}},
	} {
		all = append(all, r.fault())
	}
	return all
}
