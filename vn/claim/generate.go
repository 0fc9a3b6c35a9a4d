package claim

//go:generate go run ../../tools/claimgen ../../spec/qd3176/tables.csv tables_gen.go
