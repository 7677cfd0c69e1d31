package demo

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"
)

// inspect looks for the queue of this name as a client of the application does.
func inspect(t *testing.T, p *Platform, application, name string) (amqp.Queue, said) {
	t.Helper()
	q, err := channel(t, p, application).QueueDeclarePassive(name, true, false, false, false, nil)
	return q, saidBy(err)
}

func TestSetQueue(t *testing.T) {
	p := start(t, quick())
	p.SetQueue(Access{"ntnu", iga}, dfoSAP, 7, 0)
	for name, want := range map[string]amqp.Queue{
		"from_" + dfoSAP:        {Name: "from_" + dfoSAP, Messages: 7},
		"from_" + studentSystem: {Name: "from_" + studentSystem, Messages: 3, Consumers: 1}, // as it was
	} {
		got, _ := inspect(t, p, iga, name)
		diff := cmp.Diff(want, got)
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	p.SetBroker("ntnu", iga, BrokerQueueMissing)
	_, got := inspect(t, p, iga, "from_"+dfoSAP)
	if got.Code != 404 {
		t.Errorf("a missing queue: %+v, want code 404", got)
	}
}
