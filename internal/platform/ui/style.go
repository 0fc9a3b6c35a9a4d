package ui

// StyleURL is the address of the one style sheet; its name changes with its content.
func StyleURL() string { return "/static/style.css" }
