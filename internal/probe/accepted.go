package probe

// KeyVerdict is what an answer proves of the key that was sent.
type KeyVerdict int8

// The verdicts.
const (
	KeyUnproven KeyVerdict = iota
	KeyAccepted
	KeyRejected
)

// proofs says what proves that the gateway took the key, or did not; the first
// that fits counts. What the gateway answers before it looks at the key proves
// nothing: that no API is there, that our address is not allowed, that it fails.
var proofs = []struct {
	status, last int // inclusive
	from         origin
	verdict      KeyVerdict
}{
	{401, 401, byGateway, KeyRejected},
	{403, 403, byPlan, KeyAccepted},
	{405, 405, byGateway, KeyAccepted},
	{429, 429, anybody, KeyAccepted},
	{502, 502, byNobody, KeyAccepted},
	{502, 502, byGateway, KeyAccepted},
	{504, 504, byNobody, KeyAccepted},
	{504, 504, byGateway, KeyAccepted},
	{200, 299, anybody, KeyAccepted},
	{300, 599, byBackend, KeyAccepted},
	{401, 404, byNobody, KeyAccepted}, // where the gateway itself has something to say
}

func proof(status int, from origin) KeyVerdict {
	for _, p := range proofs {
		if p.status <= status && status <= p.last && (p.from == anybody || p.from == from) {
			return p.verdict
		}
	}
	return KeyUnproven
}
