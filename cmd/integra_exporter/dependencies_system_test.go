//go:build system

package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// The bill of materials names what the program is linked of, with its version, and nothing else.
func TestBillOfMaterials(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("../../scripts/sbom", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		Components []struct{ Name, Version, PURL string }
	}
	err = json.Unmarshal(out, &bill)
	if err != nil {
		t.Fatal(err)
	}
	required := required(t, "../../go.mod")
	for _, c := range bill.Components {
		_, asked := required[c.Name]
		if !asked && c.Name != "go" || c.Version == "" || !strings.HasSuffix(c.PURL, strings.TrimPrefix(c.Version, "go")) {
			t.Errorf("%+v", c)
		}
	}
	if len(bill.Components) < 20 {
		t.Errorf("only %d components", len(bill.Components))
	}
}
