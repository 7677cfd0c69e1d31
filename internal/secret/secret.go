// Package secret holds values that must never be printed, and knows where they come from.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Placeholder is what a secret shows as, everywhere.
const Placeholder = "<secret>"

// Value is a secret. It prints as Placeholder under every verb and in JSON,
// YAML, text and slog. The zero Value is empty.
type Value struct {
	// A pointer to a pointer: fmt does not call the methods of unexported
	// fields, and follows no pointer below the first level.
	hidden **string
}

// New hides s.
func New(s string) Value {
	p := &s
	return Value{hidden: &p}
}

// Reveal returns the secret itself, for the one place that sends it.
func (v Value) Reveal() string {
	if v.hidden == nil {
		return ""
	}
	return **v.hidden
}

// String implements fmt.Stringer.
func (Value) String() string { return Placeholder }

// Format implements fmt.Formatter, so that no verb reaches the fields.
func (Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Placeholder) }

// MarshalText implements encoding.TextMarshaler, and so JSON.
func (Value) MarshalText() ([]byte, error) { return []byte(Placeholder), nil }

// MarshalYAML implements yaml.Marshaler.
func (Value) MarshalYAML() (any, error) { return Placeholder, nil }

// LogValue implements slog.LogValuer.
func (Value) LogValue() slog.Value { return slog.StringValue(Placeholder) }
