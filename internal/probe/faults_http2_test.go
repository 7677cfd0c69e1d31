package probe

import (
	"encoding/binary"
	"io"
	"net"
)

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
