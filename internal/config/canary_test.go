package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

const canary = "c4n4ry"

// TestCanariesInConfig plants a secret wherever a good configuration can hold one and prints all there is to print.
func TestCanariesInConfig(t *testing.T) {
	t.Setenv("INTEGRA_TEST_SECRET", canary)
	c := load(t, `
institutions:
  uio:
    apis:
      literal: {request: {path: /`+canary+`, private: true, body: '{"fnr":"`+canary+`"}'}, key: `+canary+`}
      file: {request: {path: /, body_file: secret, secret_headers: {X-A: {file: secret}, X-B: {env: INTEGRA_TEST_SECRET}}}, key_file: secret}
      env: {request: {path: /}, key_env: INTEGRA_TEST_SECRET}
    rabbitmq:
    - {application: a, password: `+canary+`}
    - {application: b, password_file: secret}
    - {application: c, password_env: INTEGRA_TEST_SECRET}
    keys: [{name: m, certificate_file: p12, certificate_password_file: secret}, {name: j, jwt_file: jwt}]
    gravitee: {url: "https://api.example.no/", application: a, token: `+canary+`}
`, [2]string{"secret", canary}, [2]string{"p12", enterprise(t, canary)}, [2]string{"jwt", "e30.e30." + canary})
	printed := map[string]string{}
	values := []any{c, *c, c.APIs(), c.RabbitMQ, c.Keys, c.Gravitee, c.Checks(), c.Warnings, c.APIs()[2], &c.APIs()[2], c.RabbitMQ[0]}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		printed[verb] = fmt.Sprintf(strings.Repeat(verb+"\n", len(values)), values...)
	}
	request := c.APIs()[2].sealed // what a wrong verb reaches in a Prober is package probe's to hide
	for _, verb := range []string{"%s", "%d", "%x", "%q"} {
		printed[verb] = fmt.Sprintf(strings.Repeat(verb+"\n", 6), c.RabbitMQ, c.Keys, c.Gravitee, c.Warnings, request, c.APIs()[2].Request)
	}
	text, err := json.Marshal(values)
	printed["json"] = fmt.Sprint(string(text), err)
	text, err = yaml.Marshal(values[1:8])
	printed["yaml"] = fmt.Sprint(string(text), err)
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		for _, v := range values {
			slog.New(handler).Info("m", "v", v)
		}
	}
	printed["slog"] = log.String()
	for how, text := range printed {
		if text == "" {
			t.Errorf("%s printed nothing", how)
		}
		for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprint([]byte(canary))[1:17]} {
			if strings.Contains(text, form) {
				at := strings.Index(text, form)
				t.Errorf("%s holds the canary: …%s…", how, text[max(0, at-100):min(len(text), at+30)])
			}
		}
	}
}

// TestCanariesInFaults plants a secret where something is wrong around it.
func TestCanariesInFaults(t *testing.T) {
	const target = "request: {path: /}, "
	for _, line := range []string{
		"key: {" + canary + ": 1}", "key: [" + canary + "]", "key: *" + canary, "key: !!binary " + canary, "key: !" + canary + " x",
		`key: "` + canary + `\n` + canary + `"`, "key: '" + canary, "key: " + canary + ": x", "key: @" + canary, "key: &" + canary,
		"key: " + canary + ", key: " + canary, "key: " + canary + ", key_file: k", "key:" + canary, "key: >-\n" + canary, "\tkey: " + canary,
		"key: " + canary + ", proxy_url: http://u:" + canary + "@p.example.no", "key: " + canary + ", proxy_url: http://" + canary + ":p@[::1", "key_env: " + canary + "-x",
		"key: k, request: {secret_headers: {X-A: " + canary + "}}", "key: k, request: {secret_headers: {X-A: {file: [" + canary + "]}}}",
		"key: k, request: {headers: {X-Gravitee-Api-Key: " + canary + "}}", `key: k, request: {headers: {X-A: "` + canary + `\n"}}`,
		"interval: 1m key:" + canary, "http2: \"true\\n key: " + canary + "\"", "key: k, expect: {jq: '" + canary + " |'}", "key: k, expect: {headers: {X: '(" + canary + "'}}",
		"key: k, request: {body: [" + canary + "]}", "key: k, 'key " + canary + "': x", "key: k, request: {path: '" + canary + "'}", "key: k, request: {path: '/%z" + canary + "'}",
	} {
		for _, source := range []string{
			"institutions:\n  uio:\n    apis:\n      org: {" + target + line + "}\n",
			"institutions:\n  uio:\n    apis:\n      org:\n        request: {path: /}\n        " + strings.Replace(line, ", ", "\n        ", 1) + "\n",
		} {
			dir := write(t, source)
			c, err := Load(filepath.Join(dir, "config.yml"), probe.NewShared())
			text := fmt.Sprintf("%v %+v %#v", err, err, err)
			if c != nil {
				text = fmt.Sprintf("%v %+v", c.Warnings, c)
			}
			if strings.Contains(text, canary) {
				t.Errorf("%s\n%s", source, text)
			}
		}
	}
	for _, inst := range []string{
		"gateway: https://u:" + canary + "@gw.example.no", "gateway: https://" + canary + "@", "gateway: https://u:" + canary + "@gw.example.no:99999/?x#y",
		"gateway: 'https://u:" + canary + "/@gw.example.no'", "gateway: u:" + canary + "@gw.example.no", "gateway: https://gw.example.no?key=" + canary,
		"broker: amqps://u:" + canary + "@mq.example.no", "rabbitmq: [{application: a, password: {x: " + canary + "}}]", "rabbitmq: [{application: a, url: 'amqps://a:" + canary + "@x'}]",
		"rabbitmq: [{application: a, password: k, password_env: " + canary + "}]", "rabbitmq: " + canary, "rabbitmq: [" + canary + "]", "gravitee: " + canary,
		"gravitee: {url: 'https://u:" + canary + "@x/', application: a, token: [" + canary + "]}", "keys: [password:" + canary + "]", "password: " + canary,
	} {
		text := strings.Join(faults(t, "institutions:\n  uio:\n    "+inst+"\n"), "\n")
		if strings.Contains(text, canary) {
			t.Errorf("%s\n%s", inst, text)
		}
	}
}
