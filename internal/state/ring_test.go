package state

import "testing"

// What is not needed yet is not reserved, and never more than the limit.
func TestRingReservesNoMoreThanItsLimit(t *testing.T) {
	r := ring{limit: 100}
	r.add(Run{})
	if cap(r.runs) > 4 {
		t.Errorf("room for %d after one run", cap(r.runs))
	}
	for range 250 {
		r.add(Run{})
		if cap(r.runs) > 100 {
			t.Fatalf("room for %d", cap(r.runs))
		}
	}
	r.resize(7)
	if cap(r.runs) > 8 { // an allocation's size is rounded up
		t.Errorf("room for %d after the limit went down to 7", cap(r.runs))
	}
}
