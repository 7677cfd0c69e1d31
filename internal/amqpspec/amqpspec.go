// Package amqpspec holds the numbers of AMQP 0-9-1 that the probe's scanner, the simulated broker and the brokers of
// tests have in common. Each of them encodes and decodes on its own, so that they can find each other's mistakes.
package amqpspec

// Method is a method: its class above its number, as both are sent.
type Method uint32

// The methods that are looked for, simulated or sent by tests.
const (
	ConnectionStart     Method = 10<<16 | 10
	ConnectionStartOK   Method = 10<<16 | 11
	ConnectionSecure    Method = 10<<16 | 20
	ConnectionTune      Method = 10<<16 | 30
	ConnectionTuneOK    Method = 10<<16 | 31
	ConnectionOpen      Method = 10<<16 | 40
	ConnectionOpenOK    Method = 10<<16 | 41
	ConnectionClose     Method = 10<<16 | 50
	ConnectionCloseOK   Method = 10<<16 | 51
	ConnectionBlocked   Method = 10<<16 | 60
	ConnectionUnblocked Method = 10<<16 | 61
	ChannelOpen         Method = 20<<16 | 10
	ChannelOpenOK       Method = 20<<16 | 11
	ChannelFlow         Method = 20<<16 | 20
	ChannelClose        Method = 20<<16 | 40
	ChannelCloseOK      Method = 20<<16 | 41
	ExchangeDeclare     Method = 40<<16 | 10
	ExchangeDeclareOK   Method = 40<<16 | 11
	QueueDeclare        Method = 50<<16 | 10
	QueueDeclareOK      Method = 50<<16 | 11
	BasicPublish        Method = 60<<16 | 40
	BasicReturn         Method = 60<<16 | 50
	BasicDeliver        Method = 60<<16 | 60
	BasicAck            Method = 60<<16 | 80
	BasicNack           Method = 60<<16 | 120
	ConfirmSelect       Method = 85<<16 | 10
	ConfirmSelectOK     Method = 85<<16 | 11
)

// The kinds of frames, and the octet that ends each.
const (
	FrameMethod    = 1
	FrameHeader    = 2
	FrameBody      = 3
	FrameHeartbeat = 8

	FrameEnd = 0xce
)
