package store

// AuditRow is a row of the audit table as it stands in the database, for the
// machinery that proves the table unchanged and for who renders it. It may
// speak of persons.
type AuditRow struct {
	Seq, Commit int64 // (Commit, Seq) is the order of commits
	At          int64 // UTC milliseconds
	Kind, Agent, Name, Facility, Role,
	Purpose, Rule, Action, Outcome,
	Entity, Detail, Acts, Request, Remote string
	Patients string // ids, sorted, with a blank between
	Nonce    []byte // 16 random bytes
}
