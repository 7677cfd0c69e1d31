package probe

import (
	"bufio"
	"io"
	"net"
	"regexp"
	"strings"
	"time"
)

// afterPause waits a little before it answers.
func afterPause(raw string) script {
	return func(d *door, c net.Conn) {
		_ = d.receive(bufio.NewReader(c))
		time.Sleep(30 * time.Millisecond)
		_, _ = io.WriteString(c, raw)
	}
}

const (
	gzipped = "Content-Encoding: gzip"
	chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
)

func wants(jq string) func(*plan) {
	return func(p *plan) {
		compiled, err := CompileJQ(jq)
		if err != nil {
			p.lab.Fatal(err)
		}
		p.JQ = compiled
	}
}

func wantsHeader(name, pattern string) func(*plan) {
	return func(p *plan) { p.Headers = map[string]*regexp.Regexp{name: regexp.MustCompile(pattern)} }
}

// bodyCases answer 200, with something in the body or header that decides.
var bodyCases = []seedCase{
	answerCase("html", "200 OK", routerPage, ReasonNotJSON, LayerBackend, htmlType).saying("the answer looks like HTML or XML"),
	answerCase("empty", "200 OK", "", ReasonNotJSON, LayerBackend).saying("the answer is empty"),
	answerCase("only space", "200 OK", " \r\n", ReasonNotJSON, LayerBackend).saying("the answer is empty"),
	answerCase("text", "200 OK", "OK", ReasonNotJSON, LayerBackend).saying("the answer is something else"),
	answerCase("json and more", "200 OK", goodJSON+"]", ReasonNotJSON, LayerBackend),
	answerCase("json cut off, length right", "200 OK", goodJSON[:9], ReasonNotJSON, LayerBackend),
	{
		name: "html that is expected", script: answers(response("200 OK", routerPage)),
		edit: func(p *plan) { p.JSON = false },
		want: answered("", "", 200, len(routerPage)),
	},
	{
		name:   "truncated, by length",
		script: answers("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + goodJSON),
		want:   answered(ReasonBody, LayerNetwork, 200, len(goodJSON)),
		detail: "the answer was cut off",
	},
	{
		name: "truncated, chunked", script: answers(chunked + "4\r\n[{\"i\r\n"),
		want: answered(ReasonBody, LayerNetwork, 200, 4), detail: "the answer was cut off",
	},
	{
		name: "truncated inside a chunk", script: answers(chunked + "ff\r\n[{\"i"),
		want: answered(ReasonBody, LayerNetwork, 200, 4), detail: "the answer was cut off",
	},
	{
		name: "truncated 401", script: answers("HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{"),
		want: answered(ReasonBody, LayerNetwork, 401, 1), detail: "the answer was cut off",
	},
	{
		name: "bad chunk", script: answers(chunked + "zz\r\n"),
		want: answered(ReasonBody, LayerNetwork, 200, 0),
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
		name: "body stalls", script: thenSilence("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,"), timeout: soon,
		want: answered(ReasonBody, LayerNetwork, 200, 3), detail: "the answer did not end in time",
	},
	{
		name: "401 body stalls", script: thenSilence("HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{"), timeout: soon,
		want: answered(ReasonBody, LayerNetwork, 401, 1), detail: "the answer did not end in time",
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
		name: "gzip bomb", script: answers(response("200 OK", zipped(strings.Repeat("0", 4<<20)), gzipped)),
		want:   answered(ReasonTooLarge, LayerBackend, 200, 1<<20),
		detail: "more than 1048576 bytes",
	},
	{
		name: "gzip bomb with 401", script: answers(response("401 Unauthorized", zipped(strings.Repeat("0", 4<<20)), gzipped)),
		want: answered(ReasonBackendUnauthorized, LayerBackend, 401, originBytes),
	},
	{
		name: "gzip that is not", script: answers(response("200 OK", goodJSON, gzipped)),
		want:   answered(ReasonInvalidResponse, LayerGateway, 200, 0),
		detail: "the answer says it is gzip, but it is not",
	},
	{
		name: "gzip that turns into noise", script: answers(response("200 OK", zipped("")[:10]+"\xff\xff\xff\xff\xff\xff", gzipped)),
		want:   answered(ReasonInvalidResponse, LayerGateway, 200, 0),
		detail: "the answer says it is gzip, but it is not",
	},
	{
		name: "gzip with a wrong checksum", script: answers(response("200 OK", spoiled(zipped(goodJSON)), gzipped)),
		want: answered(ReasonInvalidResponse, LayerGateway, 200, len(goodJSON)),
	},
	{
		name: "gzip, cut off in its header", script: answers(response("200 OK", zipped(goodJSON)[:5], gzipped)),
		want: answered(ReasonBody, LayerNetwork, 200, 0), detail: "the answer was cut off",
	},
	{
		name: "gzip, empty", script: answers(response("200 OK", "", gzipped)),
		want: answered(ReasonNotJSON, LayerBackend, 200, 0),
	},
	{
		name: "exactly the limit", script: answers(response("200 OK", goodJSON)),
		edit: func(p *plan) { p.MaxBody = int64(len(goodJSON)) },
		want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "a byte over the limit wins over not_json", script: answers(response("200 OK", "<html>")),
		edit: func(p *plan) { p.MaxBody = 5 },
		want: answered(ReasonTooLarge, LayerBackend, 200, 5),
	},
	{
		name: "header right", script: answers(response("200 OK", goodJSON, "X-Source: other", "X-Source: dfo")),
		edit: wantsHeader("x-source", "^dfo$"), want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "header wrong", script: answers(response("200 OK", goodJSON, "X-Source: sap")),
		edit: wantsHeader("X-Source", "^dfo$"), want: answered(ReasonExpectation, LayerBackend, 200, len(goodJSON)),
		detail: "header X-Source does not match",
	},
	{
		name: "header missing", script: answers(response("200 OK", goodJSON)),
		edit: wantsHeader("X-Source", ""), want: answered(ReasonExpectation, LayerBackend, 200, len(goodJSON)),
	},
	{
		name: "jq holds", script: answers(response("200 OK", goodJSON)),
		edit: wants("length > 0"), want: answered("", "", 200, len(goodJSON)),
	},
	{
		name: "jq does not hold", script: answers(response("200 OK", "[]")),
		edit: wants("length > 0"), want: answered(ReasonExpectation, LayerBackend, 200, 2),
		detail: "the jq expression does not yield true",
	},
}

func (c seedCase) saying(detail string) seedCase {
	c.detail = detail
	return c
}

// spoiled changes the checksum at the end of a gzip stream.
func spoiled(stream string) string {
	return stream[:len(stream)-8] + "\x00\x00\x00\x00" + stream[len(stream)-4:]
}
