//go:build !system

package main

// buildFlags are those of the program under test. The race detector needs a C compiler.
func buildFlags() []string { return nil }
