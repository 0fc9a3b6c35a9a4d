package param

// expression reads a _filter.
func (p *reader) expression(key, _ string) error {
	return notSupported(key, "chưa được hỗ trợ", "is not supported yet")
}
