package demo

import "time"

// institution is one row of the platform's table.
type institution struct {
	Name, Title string
	apis        []string
	certificate time.Duration // until its certificate ends; zero: long enough
}

const certificateLife = 90 * 24 * time.Hour

var institutions = [...]institution{
	{Name: "ntnu", Title: "Norges teknisk-naturvitenskapelige universitet", apis: []string{
		"organisasjoner", "stillinger", "ansatte", "fs-emner", "fs-gemini", "inspera", "krr", "maskinporten",
	}},
	{Name: "uib", Title: "Universitetet i Bergen", apis: []string{
		"organisasjoner", "stillinger", "fs-emner", "inspera", "freg",
	}},
	{Name: "uio", Title: "Universitetet i Oslo", apis: []string{
		"organisasjoner", "stillinger", "ansatte", "fs-emner", "krr", "maskinporten",
	}},
	{Name: "uit", Title: "UiT Norges arktiske universitet", apis: []string{
		"organisasjoner", "ansatte", "fs-emner", "inspera",
	}},
	{Name: "oslomet", Title: "OsloMet – storbyuniversitetet", apis: []string{
		"organisasjoner", "stillinger", "fs-emner", "freg",
	}, certificate: 10 * 24 * time.Hour},
	{Name: "himolde", Title: "Høgskolen i Molde", apis: []string{
		"organisasjoner", "fs-emner", "inspera",
	}},
}

// standing are the faults that are there from the start and stay.
var standing = [...]struct {
	Target
	fault Fault
}{
	{Target{"ntnu", "stillinger"}, Slow},
	{Target{"ntnu", "ansatte"}, KeyOpen}, // answers well, but also to strangers
	{Target{"ntnu", "fs-gemini"}, HTMLPage},
	{Target{"ntnu", "krr"}, BackendUnauthorized},
	{Target{"uib", "inspera"}, RateLimited},
	{Target{"uib", "freg"}, UnknownContextPath},
	{Target{"uio", "ansatte"}, BackendDead},
	{Target{"uit", "organisasjoner"}, KeyRejected},
	{Target{"uit", "fs-emner"}, TruncatedBody},
	{Target{"himolde", "inspera"}, ResourceForbidden},
}

// expiries are what the configuration says of the end of keys, and where there is a date, what the API manager does.
var expiries = [...]struct {
	Target
	left time.Duration // zero: never
}{
	{Target{"oslomet", "organisasjoner"}, 20 * day},
	{Target{"oslomet", "stillinger"}, 200 * day},
	{Target{"uio", "maskinporten"}, 0},
}

// renewed are the APIs whose key, in use, somebody renews once Run has begun.
var renewed = [...]Target{{"uib", "stillinger"}}

// unreadable is the institution whose API manager refuses the token from the start.
const unreadable = "himolde"

// passing are the faults that Run lets come and go; none stands on a target
// that is faulty anyway, nor does any begin in the first half minute.
var passing = [...]episode{
	{Target{"himolde", ""}, Refused, 40 * time.Second, 20 * time.Second, 2 * time.Minute},
	{Target{"uio", "fs-emner"}, BackendRefused, 70 * time.Second, 30 * time.Second, 90 * time.Second},
	{Target{"ntnu", "maskinporten"}, BackendError, 2 * time.Minute, 45 * time.Second, 5 * time.Minute},
}

// episode is a fault that is in force for lasts, from first on once every every.
type episode struct {
	Target
	fault               Fault
	first, lasts, every time.Duration
}

func (e episode) due(elapsed time.Duration) bool {
	return elapsed >= e.first && (elapsed-e.first)%e.every < e.lasts
}
