package r4

// Doc is a parsed JSON resource over its original bytes.
type Doc struct{}
