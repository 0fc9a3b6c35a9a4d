package httpx

import "net/http"

// policy lets a page load from its own server only, and run no script or style
// that stands in the page. img-src data: is for QR codes drawn on the server.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// permissions closes the browser's senses but for the camera, which reads the
// QR code of an identity card at the desk.
const permissions = "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), serial=(), " +
	"display-capture=(), screen-wake-lock=(), browsing-topics=()"

// harden sets the headers that every answer carries. A handler may loosen
// Cache-Control for what is nobody's data; the files below /static/ do.
func harden(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Request-Id", RequestID(r.Context()))
	if Secure(r) {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}
