package view

// Fact is a line about the exporter or about a target.
type Fact struct {
	Name, Value string
	Bad         bool // somebody should look
}

// Configuration is what the configuration says of a target, for people: nothing in it is secret or private.
type Configuration struct {
	Facts   []Fact
	Request *Request // nil: the check sends none
}
