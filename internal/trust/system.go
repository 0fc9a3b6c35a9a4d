package trust

import (
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// Job is the named right of work inside the server that no person asks for at
// that moment. It is the Right in the audit row.
type Job string

// Jobs that exist. Each sees and does what its line in jobs says.
const (
	JobSignIn    Job = "trust.sign-in"         // sessions, links, accounts: this package's own tables only
	JobLinks     Job = "trust.links"           // reads the links of a golden Patient to expand a person
	JobClaims    Job = "claims.process"        // writes what a claim file says, matches persons
	JobIdent     Job = "ident.match"           // reads Patients, writes golden Patients
	JobImport    Job = "import"                // ytso import by the operator
	JobIndex     Job = "index"                 // re-index, doctor
	JobPackage   Job = "package"               // loads definitions and terminology
	JobExchange  Job = "exchange.work"         // jobs of exports and imports, places of subscriptions: own tables only
	JobSubscribe Job = "exchange.subscription" // writes the state of a Subscription
	JobDefine    Job = "definitions"           // looks definitions up for checking and terminology: nobody's data
	JobLedger    Job = "trust.ledger"          // witnesses of the log over the audit rows: own tables only
	JobFlow      Job = "demo.flow"             // progress of the demonstration's inflow: own tables only
)

var jobs = map[Job]struct {
	purpose string
	types   []string
	acts    store.Acts
}{
	JobSignIn:    {SysAdmin, nil, 0},
	JobFlow:      {SysAdmin, nil, 0},
	JobLedger:    {SysAdmin, nil, 0},
	JobExchange:  {SysAdmin, nil, 0},
	JobDefine:    {SysAdmin, typesOf(definition), find},
	JobSubscribe: {SysAdmin, []string{"Subscription"}, store.CanRead | store.CanUpdate},
	JobLinks:     {OwnRequest, []string{"Patient"}, store.CanRead},
	JobClaims:    {Payment, typesOf(aboutPerson, register, machinery), store.Everything},
	JobIdent:     {Operations, []string{"Patient", "Provenance", "Linkage"}, store.Everything},
	JobImport:    {Operations, typesOf(aboutPerson, register, definition, machinery), store.Everything},
	JobIndex:     {SysAdmin, []string{"*"}, look | store.CanUpdate}, // the index is of every type
	JobPackage:   {SysAdmin, typesOf(definition), store.Everything},
}

// Jobs lists the named rights, sorted.
func Jobs() []Job {
	var list []Job
	for j := range jobs {
		list = append(list, j)
	}
	slices.Sort(list)
	return list
}

// System gives the access of a job. The types it names are visible whoever
// they are about; types it does not name are refused. outcome.Forbidden for a job without a line in the table.
func System(j Job) (store.Access, error) {
	right, ok := jobs[j]
	if !ok {
		return store.Access{}, errNoRule
	}
	f := store.Filter{All: len(right.types) > 0, Types: make(map[string]store.Acts, len(right.types))}
	for _, t := range right.types {
		f.Types[t] = right.acts
	}
	return store.Access{
		Agent:   store.Agent{Kind: store.System, ID: "system/" + string(j), Name: string(j)},
		Purpose: right.purpose, Right: string(j), Filter: f, Silent: j == JobSignIn || j == JobLinks || j == JobExchange || j == JobDefine,
	}, nil
}

var errNoRule = outcome.New(outcome.Forbidden, "trust.no-rule",
	"Không có quy định nào cho phép việc này với vai trò đang dùng.",
	"No rule allows this for the role in use.")
