package probe

import (
	"context"
	"net"
	"time"
)

// nameServer answers for the gateway's name with what is said of it.
func nameServer(a, aaaa named) func(*plan) {
	return func(p *plan) {
		p.lab.nameServer = newNameServer(p.lab.T, zone{gatewayName: {typeA: a, typeAAAA: aaaa}})
	}
}

// noNameServer asks a port where nobody listens.
func noNameServer(p *plan) {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		p.lab.Fatal(err)
	}
	gone := socket.LocalAddr().String()
	_ = socket.Close()
	p.lab.nameServer = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialNameServer(ctx, "udp", gone)
	}
}

var (
	here = named{addrs: []string{"127.0.0.1"}}
	// away is an address of this machine at which nobody listens.
	away    = named{addrs: []string{"127.0.0.9"}}
	lost    = named{silent: true}
	broken  = named{rcode: servfail}
	unknown = named{rcode: nxdomain}
)

func unresolved(name string, edit func(*plan), detail string) gatewayRow {
	return gatewayRow{
		name: name, script: silence, edit: edit,
		want: never(ReasonDNS, LayerNetwork, toResolve), detail: detail,
	}
}

func (r gatewayRow) waiting() gatewayRow {
	r.waits = true
	return r
}

func resolvesAnyway(name string, a, aaaa named) gatewayRow {
	return gatewayRow{
		name: name, script: answers(goodAnswer), edit: nameServer(a, aaaa),
		want: answered("", "", 200, 2),
	}
}

const noAnswer = "the resolver answered with an error or not at all"

var resolverFaults = []gatewayRow{
	unresolved("the name does not exist (NXDOMAIN)", nameServer(unknown, unknown), "no such host"),
	unresolved("the name has no address (no data)", nameServer(named{}, named{}), "no such host"),
	unresolved("the resolver fails (SERVFAIL)", nameServer(broken, broken), noAnswer),
	unresolved("the resolver fails for one family, the other has no address", nameServer(broken, named{}), noAnswer),
	unresolved("the resolver is silent", nameServer(lost, lost), "no answer from the resolver in time").waiting(),
	unresolved("the resolver is silent for one family, the other does not exist", nameServer(lost, unknown),
		"no answer from the resolver in time").waiting(),
	unresolved("the resolver is gone: nobody listens there", noNameServer, noAnswer),
	{
		name: "a wrong address, where nobody listens", script: silence, edit: nameServer(away, named{}),
		want: never(ReasonConnect, LayerNetwork, toConnect), detail: "connection refused",
	},
	distrusted("the certificate is for another name").of("a wrong address, where somebody else answers", strangersPair),
	resolvesAnyway("a wrong address beside the right one", named{addrs: []string{"127.0.0.9", "127.0.0.1"}}, named{}),
	resolvesAnyway("the answer for AAAA comes a second late", here, named{delay: time.Second}),
	resolvesAnyway("the answer for AAAA is lost", here, lost),
	resolvesAnyway("the answer for AAAA is SERVFAIL", here, broken),
}
