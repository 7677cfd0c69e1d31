package probe

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
)

// controls are no faults, or not alone: what the rows of the document stand against.
var controls = slices.Concat(tlsControls, []gatewayRow{
	answerCase("success", "200 OK", goodJSON, "", "", jsonType),
	answerCase("404 gateway, line ends", "404 Not Found", noContextPath+"\r\n", ReasonNoSuchAPI, LayerGateway),
	{
		name: "204 with json", script: answers("HTTP/1.1 204 No Content\r\n" + jsonType + "\r\n\r\n" + goodJSON),
		edit:   func(p *plan) { p.Status = []int{204} },
		want:   answered(ReasonNotJSON, LayerBackend, 204, 0),
		detail: "the answer is empty",
	},
	{
		name: "one of several statuses", script: answers(response("202 Accepted", goodJSON)),
		edit: func(p *plan) { p.Status = []int{200, 202} },
		want: answered("", "", 202, len(goodJSON)),
	},
	{
		name: "a gateway's 401 that is expected", script: answers(response("401 Unauthorized", shape(401, "Unauthorized"))),
		edit: func(p *plan) { p.Status = []int{401} },
		want: answered("", "", 401, len(shape(401, "Unauthorized"))),
	},
	{
		name: "not too slow", script: answers(response("200 OK", goodJSON)),
		edit: func(p *plan) { p.MaxDuration = ample },
		want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "html that is expected", script: answers(response("200 OK", routerPage)),
		edit: func(p *plan) { p.JSON = false },
		want: answered("", "", 200, len(routerPage)),
	},
	{
		name: "chunked", script: answers(chunked + "2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n"),
		want: answered("", "", 200, 3),
	},
	{
		name: "no length, closed", script: answers("HTTP/1.1 200 OK\r\n\r\n" + goodJSON),
		want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "HTTP/1.0", script: answers("HTTP/1.0 200 OK\r\n\r\n" + goodJSON),
		want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "gzip", script: answers(response("200 OK", zipped(goodJSON), gzipped)),
		want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "gzip, other case", script: answers(response("200 OK", zipped(goodJSON), "content-encoding: GZIP")),
		want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "exactly the limit", script: answers(response("200 OK", goodJSON)),
		edit: func(p *plan) { p.MaxBody = int64(len(goodJSON)) },
		want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "header right", script: answers(response("200 OK", goodJSON, "X-Source: other", "X-Source: dfo")),
		edit: wantsHeader("x-source", "^dfo$"), want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "jq holds", script: answers(response("200 OK", goodJSON)),
		edit: wants("length > 0"), want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "plain HTTP by configuration", server: plain(answers(goodAnswer)), edit: unsecured,
		want: sight{Phases: "resolve connect processing transfer", Status: 200, Size: 2},
	},
})

// shapeCases come near the gateway's shape, but are the backend's.
var shapeCases = []gatewayRow{
	nearly("another key", `{"message":"Unauthorized","http_status_code":401,"x":1}`),
	nearly("no message", `{"http_status_code":401}`),
	nearly("no status", `{"message":"Unauthorized"}`),
	nearly("two others", `{"error":"Unauthorized","status":401}`),
	nearly("other case", `{"Message":"Unauthorized","http_status_code":401}`),
	nearly("status of another answer", `{"message":"Unauthorized","http_status_code":403}`),
	nearly("status as text", `{"message":"Unauthorized","http_status_code":"401"}`),
	nearly("message is null", `{"message":null,"http_status_code":401}`),
	nearly("message is an object", `{"message":{"fnr":"`+canary+`"},"http_status_code":401}`),
	nearly("in a list", `[{"message":"Unauthorized","http_status_code":401}]`),
	nearly("something behind", `{"message":"Unauthorized","http_status_code":401} x`),
	nearly("text", "Unauthorized"),
	nearly("404's text", noContextPath),
	nearly("html", routerPage),
	answerCase("404's text and more", "404 Not Found", noContextPath+" Sorry.", ReasonNotFound, LayerBackend),
	answerCase("500 nearly", "500 Internal Server Error", `{"message":"x"}`, ReasonBackendError, LayerBackend),
	{
		name:   "gateway's shape behind 16 KiB of space",
		script: answers(response("401 Unauthorized", strings.Repeat(" ", decisiveBytes)+shape(401, "Unauthorized"))),
		want:   answered(ReasonBackendUnauthorized, LayerBackend, 401, decisiveBytes),
	},
	{
		name:   "gateway's shape in gzip",
		script: answers(response("401 Unauthorized", zipped(shape(401, "Unauthorized")), "Content-Encoding: gzip")),
		want:   answered(ReasonKeyRejected, LayerKey, 401, len(shape(401, "Unauthorized"))),
	},
}

func nearly(name, body string) gatewayRow {
	return answerCase("nearly the gateway: "+name, "401 Unauthorized", body, ReasonBackendUnauthorized, LayerBackend, jsonType, marked)
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}
