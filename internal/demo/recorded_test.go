package demo

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit/recordings"
)

// situation says how the simulation is brought into a recorded one.
type situation struct {
	names string // of the recordings, as a pattern
	fault Fault
	key   string // good, wrong, ended or none; empty: good
	same  bool   // the backend, or the gateway's policy, answers what was recorded
}

// The first that fits counts.
var situations = []situation{
	{names: "template-(unknown|expired)-key", fault: ResponseTemplate, key: "wrong"},
	{names: "template-no-key", fault: ResponseTemplate, key: "none"},
	{names: "keyless-wrong-key", fault: KeyOpen, key: "wrong", same: true},
	{names: "keyless-.*|both-no-key", fault: KeyOpen, key: "none", same: true},
	{names: "key-expired|both-expired-key", key: "ended"},
	{names: "(.*-)?(unknown|wrong)-key|key-(closed|ended|of-another-api|paused|revoked|subpaused)", key: "wrong"},
	{names: "(.*-)?(no|empty)-key", key: "none"},
	{names: "rulefalse", fault: PlanCondition},
	{names: "(head-)?unknown-path|noplan|vhost-mismatch|plan-closed|api-not-started.*", fault: UnknownContextPath},
	{names: "(head-)?filtered-path|matchreq", fault: ResourceForbidden},
	{names: "filtered-method", fault: MethodForbidden},
	{names: "rate-limit-exceeded", fault: RateLimited},
	{names: "callout|calloutempty|boom.*|badel", fault: GatewayError, same: true},
	{names: "callout401", fault: PolicyUnauthorized, same: true},
	{names: "ip|ipapi", fault: ResourceForbidden, same: true},
	{names: "store-down-limblock", fault: RateLimited, same: true},
	{names: "(head-)?closed|reset|nodns|notls|fin", fault: BackendRefused},
	{names: "hang|blackhole", fault: BackendDead},
	{names: "none|down", fault: BackendUnavailable},
	{names: "failover", fault: Failover},
	{names: "hanglong", fault: RequestTimeout},
	{names: "rulebroken", fault: TemporarilyUnavailable},
	{names: "inner-gateway-401", fault: InnerGateway},
	{names: "store-down-limited", fault: LimitStoreDown, same: true},
	{names: "cut", fault: Healthy, same: true},
	{names: "ok|post|head-ok|.*-(good-key|allowed|ok)|key-of-.*-plan|(head-)?backend-.*", fault: Healthy, same: true},
}

// notSimulated says why a recorded situation is left out.
var notSimulated = map[string]string{
	"spike-(ok|exceeded)|store-down-spike": "no plan of the platform has a spike arrest",
	"cutchunked":                           "the simulation's backends announce a length",
	"inner-gateway-v4e-401":                "the inner gateway is of the engine in front of it",
	"badel":                                "in 3.20, where the gateway never answers: a gateway that is silent",
}

// Every answer is, byte for byte, what the real gateway of that engine sent, but for ids, dates and the ends of limits.
func TestRecordedGateways(t *testing.T) {
	gateways, err := recordings.Gateways()
	if err != nil {
		t.Fatal(err)
	}
	engineOf := map[string]Engine{"3.20.32-v3": Engine320, "3.20.32-jupiter": EngineJupiter, "4.10.8-v4emulation": Engine4}
	compared := map[string]int{}
	for _, g := range gateways {
		engine, simulated := engineOf[g.Name()]
		if !simulated {
			continue
		}
		options := quick()
		options.Engine, options.KeyGrace = engine, time.Nanosecond
		p := start(t, options)
		ended := p.Key("uio", "stillinger")
		p.Renew("uio", "stillinger")
		for _, s := range g.Situations {
			if fits(notSimulated, s.Name) != "" && (s.Name != "badel" || s.Answer == "") {
				continue
			}
			i := slices.IndexFunc(situations, func(known situation) bool { return whole(known.names, s.Name) })
			if i < 0 {
				t.Errorf("%s: %s: in no table", g.Name(), s.Name)
				continue
			}
			set(p, situations[i], s)
			want, got := normal(s.Answer), normal(answerTo(t, p, situations[i], s, engine != Engine4, ended))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s (-recorded +simulated):\n%s", g.Name(), s.Name, diff)
			}
			compared[g.Name()]++
		}
	}
	for name := range engineOf {
		if compared[name] < 60 {
			t.Errorf("%s: compared %d situations", name, compared[name])
		}
	}
}

func whole(pattern, name string) bool {
	return regexp.MustCompile("^(?:" + pattern + ")$").MatchString(name)
}

func fits(reasons map[string]string, name string) string {
	for pattern, why := range reasons {
		if whole(pattern, name) {
			return why
		}
	}
	return ""
}

// set makes the simulation's API answer as recorded.
func set(p *Platform, known situation, s recordings.Situation) {
	p.Set("uio", "stillinger", known.fault)
	g := p.gateway("uio")
	a := g.api("stillinger")
	g.mu.Lock()
	defer g.mu.Unlock()
	a.backend, a.message, a.limits, a.methods = nil, "", nil, nil
	head, body, _ := strings.Cut(s.Answer, "\r\n\r\n")
	if l := regexp.MustCompile(`(X-(?:Rate-Limit|Quota))-Limit: 2`).FindStringSubmatch(head); l != nil && known.fault == Healthy {
		a.limits = []limit{{l[1], 2, time.Minute}}
	}
	if !known.same {
		return
	}
	if known.fault != Healthy && known.fault != KeyOpen && known.fault != LimitStoreDown {
		a.message = messageOf(body)
		return
	}
	lines := strings.Split(head, "\r\n")
	status, _ := strconv.Atoi(lines[0][9:12])
	_, phrase, _ := strings.Cut(lines[0][9:], " ")
	own := slices.DeleteFunc(lines[1:], func(l string) bool {
		return regexp.MustCompile(`^(X-Gravitee-|X-Rate-|X-Quota-|(?i:connection: ))`).MatchString(l)
	})
	a.backend = &reply{status: status, phrase: phrase, from: byBackend, header: own, body: body, cut: s.Name == "cut"}
}

func messageOf(body string) string {
	var failure struct{ Message string }
	_ = json.Unmarshal([]byte(body), &failure)
	return failure.Message
}

// answerTo sends the request as it was recorded, and returns the bytes of the answer.
func answerTo(t *testing.T, p *Platform, known situation, s recordings.Situation, closing bool, ended string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(p.URL("uio"), "https://"), &tls.Config{RootCAs: p.CA(), ServerName: p.ServerName("uio")})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := s.Method + " /lonn/v1/stillinger/v1/ HTTP/1.1\r\nHost: gw\r\nAccept: application/json\r\n" +
		"X-Gravitee-Transaction-Id: " + recordings.TransactionID + "\r\n"
	switch known.key {
	case "":
		request += "X-Gravitee-Api-Key: " + p.Key("uio", "stillinger") + "\r\n"
	case "wrong":
		request += "X-Gravitee-Api-Key: wrong\r\n"
	case "ended":
		request += "X-Gravitee-Api-Key: " + ended + "\r\n"
	}
	if closing {
		request += "Connection: close\r\n"
	}
	_, err = io.WriteString(conn, request+"Content-Length: "+strconv.Itoa(len(s.Body))+"\r\n\r\n"+s.Body)
	if err != nil {
		t.Fatal(err)
	}
	return readAnswer(t, bufio.NewReader(conn), s)
}

// readAnswer reads as much as was recorded: a connection may stay open after it.
func readAnswer(t *testing.T, r *bufio.Reader, s recordings.Situation) string {
	t.Helper()
	var head strings.Builder
	lines := textproto.NewReader(r)
	for {
		line, err := lines.ReadLine()
		if err != nil {
			t.Errorf("%s: %v after %q", s.Name, err, head.String())
			return head.String()
		}
		head.WriteString(line + "\r\n")
		if line == "" {
			break
		}
	}
	_, recorded, _ := strings.Cut(s.Answer, "\r\n\r\n")
	body := make([]byte, len(recorded))
	n, _ := io.ReadFull(r, body)
	if s.Method == http.MethodHead && r.Buffered() > 0 {
		t.Errorf("%s: a body", s.Name)
	}
	return head.String() + string(body[:n])
}

// normal is an answer without what differs from one request to the next.
func normal(answer string) string {
	for pattern, by := range map[string]string{
		`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`: "ID",
		`(Client-Identifier: ).*\r`:                 "${1}ID\r",
		`(Date: ).*\r`:                              "${1}DATE\r",
		`((?:Limit|Quota)-Reset: )\d+\r`:            "${1}END\r",
	} {
		answer = regexp.MustCompile(pattern).ReplaceAllString(answer, by)
	}
	return answer
}
