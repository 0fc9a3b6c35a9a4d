// Package door is the way in and out: the first page, sign-in by a one-time
// link, the devices that are signed in, the language, and the session of
// hospitals' senders (POST /api/token/take, spec/qd3176/gateway.md §2). In a
// demonstration the first page is a tour as well.
//
// Who it is is decided by internal/trust/authn; here are the pages about it. A
// page that opens by GET changes nothing: programs that look through messages
// open every link, and must not use it up.
package door
