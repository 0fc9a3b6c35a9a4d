package validate

// vietnamese are the sentences of the invariants that are met most, by key.
var vietnamese = map[string]string{}
