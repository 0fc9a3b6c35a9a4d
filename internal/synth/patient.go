package synth

// PatientNumber is the number (MA_BN) that a facility of the province gives the person.
func (w *Person) PatientNumber(facility string) string { return w.patientNumber(facility) }
