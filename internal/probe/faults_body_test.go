package probe

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"
)

// afterPause waits a little before it answers.
func afterPause(raw string) script {
	return func(d *door, c net.Conn) {
		_ = d.receive(bufio.NewReader(c))
		time.Sleep(30 * time.Millisecond)
		_, _ = io.WriteString(c, raw)
	}
}

// endless sends raw, and then what is left of block again and again.
func endless(raw, block string, pause time.Duration) script {
	return func(d *door, c net.Conn) {
		_ = d.receive(bufio.NewReader(c))
		_, err := io.WriteString(c, raw)
		for err == nil {
			time.Sleep(pause)
			_, err = io.WriteString(c, block)
		}
	}
}

const (
	gzipped = "Content-Encoding: gzip"
	chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

	lateEnd = "the answer did not end in time"
	notGzip = "the answer says it is gzip, but it is not"
	other   = "the answer is something else"
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

func (r gatewayRow) saying(detail string) gatewayRow {
	r.detail = detail
	return r
}

// spoiled changes the checksum at the end of a gzip stream.
func spoiled(stream string) string {
	return stream[:len(stream)-8] + "\x00\x00\x00\x00" + stream[len(stream)-4:]
}

// wide is text in UTF-16 behind a byte order mark.
func wide(text string) string {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, utf16.Encode([]rune("\ufeff"+text)))
	return b.String()
}

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

func notJSONRow(name, body, detail string, header ...string) gatewayRow {
	return answerCase(name, "200 OK", body, ReasonNotJSON, LayerBackend, header...).saying(detail)
}

// cut is the row of a body that ends too early, of which size bytes were read.
func cut(name, raw string, status, size int) gatewayRow {
	return gatewayRow{name: name, script: answers(raw), want: answered(ReasonBody, LayerNetwork, status, size), detail: cutOff}
}

func stalling(name, raw string, status, size int) gatewayRow {
	r := gatewayRow{name: name, script: thenSilence(raw), want: answered(ReasonBody, LayerNetwork, status, size), detail: lateEnd}
	return r.waiting()
}

func badGzip(name, body string, size int) gatewayRow {
	return gatewayRow{
		name: name, script: answers(response("200 OK", body, gzipped)),
		want: answered(ReasonInvalidResponse, LayerGateway, 200, size), detail: notGzip,
	}
}

// tooLarge is the row of an answer that goes on after limit bytes.
func tooLarge(name string, s script, limit int) gatewayRow {
	return gatewayRow{
		name: name, script: s, edit: func(p *plan) { p.MaxBody = int64(limit) },
		want: answered(ReasonTooLarge, LayerBackend, 200, limit), detail: "more than " + itoa(limit) + " bytes",
	}
}

func unmet(name, body, detail string, edit func(*plan), header ...string) gatewayRow {
	r := answerCase(name, "200 OK", body, ReasonExpectation, LayerBackend, header...)
	r.edit, r.detail = edit, detail
	return r
}

var bodyFaults = []gatewayRow{
	cut("cut off before its length is reached", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"+goodJSON, 200, len(goodJSON)),
	cut("cut off between two chunks", chunked+"4\r\n[{\"i\r\n", 200, 4),
	cut("cut off inside a chunk", chunked+"ff\r\n[{\"i", 200, 4),
	cut("a chunk without a length", chunked+canary+"\r\n", 200, 0),
	cut("a 401 that is cut off", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{", 401, 1),
	cut("gzip, cut off in its header", response("200 OK", zipped(goodJSON)[:5], gzipped), 200, 0),
	stalling("it stalls", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,", 200, 3),
	stalling("that of a 401 stalls", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{", 401, 1),
	{
		name: "it drips: a byte now and then", waits: true,
		script: endless("HTTP/1.1 200 OK\r\n\r\n[", "1", 10*time.Millisecond),
		want:   answered(ReasonBody, LayerNetwork, 200, anySize), detail: lateEnd,
	},
	tooLarge("it never ends", endless("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat(canary, 4<<10), 0), 1<<20),
	tooLarge("a byte more than the limit, and no JSON", answers(response("200 OK", "<html>")), 5),
	tooLarge("a gzip bomb: 4 MiB of zeros in 4 KiB", answers(response("200 OK", zipped(strings.Repeat("0", 4<<20)), gzipped)), 1<<20),
	{
		name: "a gzip bomb with a 401", script: answers(response("401 Unauthorized", zipped(strings.Repeat("0", 4<<20)), gzipped)),
		want: answered(ReasonBackendUnauthorized, LayerBackend, 401, decisiveBytes),
	},
	badGzip("it says gzip, and is not", goodJSON, 0),
	badGzip("gzip that turns into noise", zipped("")[:10]+"\xff\xff\xff\xff\xff\xff", 0),
	badGzip("gzip with a wrong checksum", spoiled(zipped(goodJSON)), len(goodJSON)),
	notJSONRow("empty", "", "the answer is empty"),
	notJSONRow("nothing but space", " \r\n", "the answer is empty"),
	{
		name: "gzip of nothing", script: answers(response("200 OK", "", gzipped)),
		want: answered(ReasonNotJSON, LayerBackend, 200, 0), detail: "the answer is empty",
	},
	notJSONRow("HTML with status 200", routerPage, "the answer looks like HTML or XML", htmlType),
	notJSONRow("text", canary, other),
	notJSONRow("garbage after the JSON", goodJSON+canary, other),
	notJSONRow("two JSON documents", goodJSON+"\n"+goodJSON, other),
	notJSONRow("JSON that is cut off, and its length right", goodJSON[:9], other),
	{
		name:   "a length shorter than the body",
		script: answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + goodJSON),
		want:   answered(ReasonNotJSON, LayerBackend, 200, 9), detail: other,
	},
	notJSONRow("UTF-16", wide(goodJSON), "the answer is not UTF-8"),
	notJSONRow("Latin 1", "[\"\xe6\"]", "the answer is not UTF-8"),
	notJSONRow("half of a surrogate pair, as bytes", "[\"\xed\xa0\x80\"]", "the answer is not UTF-8"),
	notJSONRow("UTF-8 behind a byte order mark", "\ufeff"+goodJSON, other),
	notJSONRow("NaN", `[{"sum":NaN}]`, other),
	notJSONRow("20,000 levels of brackets", nested(20_000), other),
	answerCase("100 levels of brackets", "200 OK", nested(100), "", ""),
	unmet("a header that is expected differs", goodJSON, "header X-Source does not match",
		wantsHeader("X-Source", "^dfo$"), "X-Source: "+canary),
	unmet("a header that is expected is missing", goodJSON, "header X-Source does not match", wantsHeader("X-Source", "")),
	unmet("jq: not true", "[]", "the jq expression does not yield true", wants("length > 0")),
	unmet("jq: fails on this answer", "["+backendText+"]", "the jq expression fails on this answer", wants(".feil")),
	unmet("jq: yields nothing", "[]", "the jq expression yields nothing", wants(".[]")),
	{
		name: "jq: does not end", script: answers(goodAnswer), edit: wants("def f: f; f"), waits: true,
		want: answered(ReasonExpectation, LayerBackend, 200, 2), detail: "the jq expression did not end in time",
	},
	{
		name:   "right, but slower than max_duration",
		script: afterPause(response("200 OK", goodJSON)),
		edit:   func(p *plan) { p.MaxDuration = 20 * time.Millisecond },
		want:   answered(ReasonSlow, LayerBackend, 200, len(goodJSON)), detail: "longer than 20ms",
	},
}
