package probe

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
)

const notHTTP = "the answer is not HTTP, or was cut off in its header"

// noHTTP is a row of an answer that is not one.
func noHTTP(name, raw string) gatewayRow {
	return gatewayRow{
		name: name, script: answers(raw),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer), detail: notHTTP,
	}
}

func underHeader(lines string) string { return "HTTP/1.1 200 OK\r\n" + lines + "\r\n\r\n{}" }

// getsThrough is a row of an answer that is strange, and yet all right.
func getsThrough(name, raw string) gatewayRow {
	return gatewayRow{name: name, script: answers(raw), want: answered("", "", 200, 2)}
}

var httpFaults = []gatewayRow{
	noHTTP("an SSH banner", "SSH-2.0-OpenSSH_9.2\r\n"),
	noHTTP("garbage", "\x00\x01\x02\xff\xfe "+canary+"\n\n"),
	noHTTP("a malformed status line", "HTTP/1.1 abc "+canary+"\r\n\r\n"),
	noHTTP("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n{}"),
	noHTTP("another version of HTTP", "HTTP/9.9 x\r\n\r\n{}"),
	noHTTP("a header without a colon", underHeader(canary)),
	noHTTP("the header is cut off", "HTTP/1.1 200 OK\r\nX-A: "+canary+"\r\n"),
	noHTTP("a header of 128 KiB", underHeader("X-A: "+strings.Repeat("a", 128<<10))),
	noHTTP("ten thousand headers", underHeader(strings.Repeat("X-A: b\r\n", 10_000)+"X-B: c")),
	getsThrough("a header of 32 KiB", underHeader("Content-Length: 2\r\nX-A: "+strings.Repeat("a", 32<<10))),
	noHTTP("a length that is no number", underHeader("Content-Length: "+canary)),
	noHTTP("a negative length", underHeader("Content-Length: -2")),
	noHTTP("two lengths that differ", underHeader("Content-Length: 2\r\nContent-Length: 3")),
	noHTTP("a transfer encoding nobody knows", underHeader("Transfer-Encoding: "+canary)),
	{
		name: "the header stalls", script: thenSilence("HTTP/1.1 200 OK\r\nX-A: b\r\n"), waits: true,
		want: unanswered(ReasonBody, LayerNetwork, toTransfer), detail: "the answer did not end in time",
	},
	getsThrough("100 Continue that nobody asked for, then the answer", "HTTP/1.1 100 Continue\r\n\r\n"+goodAnswer),
	getsThrough("103 Early Hints, then the answer", earlyHints+goodAnswer),
	{
		name: "103 Early Hints, then silence", script: thenSilence(earlyHints), waits: true,
		want: unanswered(ReasonGatewayTimeout, LayerGateway, toTransfer),
	},
	{
		name: "103 Early Hints, then closed", script: answers(earlyHints),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer),
	},
	{
		name: "nothing but 103 Early Hints", script: answers(strings.Repeat(earlyHints, 10*maxInfos)),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer),
	},
	{
		name:   "an upgrade that nobody asked for (101)",
		script: answers("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" + goodJSON),
		want:   answered(ReasonInvalidResponse, LayerGateway, 101, 0), detail: "HTTP status 101",
	},
	{
		name: "100 Continue is waited for, and never said", script: thenSilence(""), waits: true,
		edit: func(p *plan) {
			p.Method, p.Body = "POST", []byte(`{"fnr":"`+canary+`"}`)
			p.Header["Expect"] = []string{"100-continue"}
		},
		want: unanswered(ReasonGatewayTimeout, LayerGateway, toProcessing),
	},
}

// frame2 is a frame of HTTP/2 on the first stream; flags 4 ends its header, 1 the stream.
func frame2(kind, flags byte, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))[1:]
	return string(append(head, kind, flags, 0, 0, 0, 1)) + payload
}

const (
	status200  = "\x88" // in HPACK
	refuses    = "\x00\x00\x00\x07"
	fails      = "\x00\x00\x00\x02"
	kindHeader = 1
)

func resetStream(code string) string { return frame2(3, 0, code) }

// answers2 sends frames once the request's header is there, and stays.
func answers2(frames string) script {
	return speaks2(settings, func(d *door, c net.Conn) {
		head := make([]byte, 9)
		for head[3] != kindHeader {
			_, err := io.ReadFull(c, head)
			if err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head)>>8))
		}
		_, _ = io.WriteString(c, frames)
		_, _ = io.Copy(io.Discard, c)
	})
}

func over2(name string, s script, want sight) gatewayRow {
	return gatewayRow{name: name, server: gateway2(s), edit: http2, want: want}
}

var broken2 = unanswered(ReasonInvalidResponse, LayerGateway, toProcessing)

var http2Faults = []gatewayRow{
	over2("GOAWAY before the request", speaks2(settings+goAway, silence), broken2).phaseless(),
	over2("GOAWAY instead of an answer, then closed", answers2(goAway), broken2).phaseless(),
	over2("RST_STREAM instead of an answer", answers2(resetStream(fails)), broken2),
	over2("RST_STREAM in the body", answers2(frame2(1, 4, status200)+frame2(0, 0, "[1,")+resetStream(fails)),
		answered(ReasonBody, LayerNetwork, 200, 3)),
	over2("a header that cannot be unpacked", answers2(frame2(1, 4, "\xff\xff\xff\xff\xff\xff")), broken2),
	over2("an answer without a status", answers2(frame2(1, 4, "")),
		unanswered(ReasonInvalidResponse, LayerGateway, toTransfer)),
	over2("a frame that is too large", answers2("\xff\xff\xff\x00\x00\x00\x00\x00\x01"), broken2),
	over2("HTTP/1.1 after all", speaks2("HTTP/1.1 200 OK\r\n\r\n", closesAtOnce), broken2),
	over2("closed after the settings", speaks2(settings, closesAtOnce), broken2).phaseless(),
	over2("reset after the settings", speaks2(settings, resetsAtOnce), broken2).phaseless(),
	over2("silence after the settings", speaks2(settings, silence),
		unanswered(ReasonGatewayTimeout, LayerGateway, toProcessing)).waiting(),
	over2("silence before the settings", speaks2("", silence),
		unanswered(ReasonGatewayTimeout, LayerGateway, toProcessing)).waiting(),
	over2("the body stalls", answers2(frame2(1, 4, status200)+frame2(0, 0, "[1,")),
		answered(ReasonBody, LayerNetwork, 200, 3)).waiting(),
}
