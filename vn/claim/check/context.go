package check

// Context is what the rules may ask beside the file (rules.csv column needs).
type Context interface{}
