// Package exchange is the room where other systems meet us through FHIR
// ("liên thông"): the REST API below /fhir, Bulk Data export and import,
// subscriptions, and the page on which an administrator sees how they fare.
//
// It owns no health data. It tells fhir/rest who asks and what for, and keeps
// in its own tables only what its work needs to go on after a restart: jobs,
// the files they made, and how far each subscription has come.
//
// Work that runs behind the doors (an export, a delivery) runs on behalf of
// who started it: the principal is kept with the work, and the gate compiles
// its Access anew for every slice, so that a right that was taken away stops it.
//
// Source: FHIR R4 http.html, async.html, subscription.html; Bulk Data Access
// 2.0.0 (hl7.fhir.uv.bulkdata); Subscriptions R5 Backport 1.1.0.
package exchange
