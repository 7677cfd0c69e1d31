//go:build system

package main

// buildFlags are those of the program under test.
func buildFlags() []string { return []string{"-race"} }
