-- The concepts that a client has put into its closure tables ($closure).
CREATE TABLE termop_closure (
  owner {key} NOT NULL,
  name {key} NOT NULL,
  version INTEGER NOT NULL,
  system {key} NOT NULL,
  code {key} NOT NULL,
  PRIMARY KEY (owner, name, version, system, code)
);
