//go:build system

package brokertest

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The broker boots with what definitions.json lists, and Stop leaves neither process nor file.
func TestStartStop(t *testing.T) {
	b, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop()
	queues, err := b.Ctl("list_queues", "--vhost=system-production-app", "name", "type")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"from_system-production-fs\tquorum", "from_system-production-hr\tclassic"} {
		if !strings.Contains(queues, want) {
			t.Errorf("no %q in %q", want, queues)
		}
	}
	b.Stop()
	_, err = os.Stat(b.Dir)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", b.Dir, err)
	}
	for range 100 {
		err = syscall.Kill(-b.server.Process.Pid, 0)
		if errors.Is(err, syscall.ESRCH) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("processes of group %d are still there: %v", b.server.Process.Pid, err)
}
