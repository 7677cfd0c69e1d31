package secret

import "strings"

// Header is a Source for the value of a header: Read refuses a secret that is
// not printable ASCII. A password may hold more.
type Header struct{ Source }

// Read implements Source.
func (h Header) Read() (Value, error) {
	value, err := h.Source.Read()
	if err != nil {
		return Value{}, err
	}
	if strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r < ' ' || r > '~' }) {
		return Value{}, unusable{h.place(), "holds something else than printable ASCII, which a header cannot carry"}
	}
	return value, nil
}

func (h Header) place() string {
	known, ok := h.Source.(interface{ place() string })
	if ok {
		return known.place()
	}
	return h.String()
}
