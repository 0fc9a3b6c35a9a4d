package audit

// Streams are the SQL texts of the streams, for the test of their plans.
var Streams = map[string]string{"all": ofAll, "one": ofOne, "agent": ofAgent, "patient": ofPatient}
