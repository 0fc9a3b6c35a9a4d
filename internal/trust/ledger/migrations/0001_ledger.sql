-- The Merkle log over the audit rows (DESIGN.md decision 11). It holds hashes and numbers only.

-- How far it has come; one row.
CREATE TABLE ledger_state (
  id    BIGINT NOT NULL PRIMARY KEY,
  size  BIGINT NOT NULL, -- leaves
  xid   BIGINT NOT NULL, -- place of the last audit row that is a leaf, in the order of commits
  seq   BIGINT NOT NULL
);
INSERT INTO ledger_state (id, size, xid, seq) VALUES (1, 0, 0, 0);

-- Tiles of 256 hashes each (golang.org/x/mod/sumdb/tlog, height 8).
CREATE TABLE ledger_tile (
  level  BIGINT  NOT NULL,
  n      BIGINT  NOT NULL,
  hashes {bytes} NOT NULL, -- 32 bytes each
  seqs   {bytes} NOT NULL, -- of level 0: the rows' numbers, 8 bytes each
  lo     BIGINT  NOT NULL, -- of level 0: the smallest and the greatest of them
  hi     BIGINT  NOT NULL,
  PRIMARY KEY (level, n)
) {clustered};
CREATE INDEX ledger_tile_seq ON ledger_tile (level, hi, lo);

-- Signed notes: so many leaves have this root.
CREATE TABLE ledger_checkpoint (
  size BIGINT  NOT NULL PRIMARY KEY,
  at   BIGINT  NOT NULL, -- UTC milliseconds
  note {bytes} NOT NULL
);

-- Outsiders who co-sign.
CREATE TABLE ledger_witness (
  name  {key}  NOT NULL PRIMARY KEY,
  vkey  TEXT   NOT NULL, -- verifier key of a note
  added BIGINT NOT NULL
);
CREATE TABLE ledger_cosignature (
  size BIGINT NOT NULL,
  name {key}  NOT NULL,
  at   BIGINT NOT NULL,
  line TEXT   NOT NULL, -- the signature line of the note
  PRIMARY KEY (size, name)
);
