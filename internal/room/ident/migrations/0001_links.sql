-- Which person a number names. The key is a hash: the number itself stands in the Patient only.
CREATE TABLE ident_key (
  k      TEXT NOT NULL PRIMARY KEY,
  person TEXT NOT NULL
);
-- The person of each source record.
CREATE TABLE ident_link (
  source TEXT   NOT NULL PRIMARY KEY,
  person TEXT   NOT NULL,
  seen   BIGINT NOT NULL                 -- version of the source that the person was last brought up to
);
CREATE INDEX ident_link_person ON ident_link (person, source);
-- Every change of a link, in order; undoing one appends another.
CREATE TABLE ident_event (
  id     TEXT   NOT NULL PRIMARY KEY,
  at     BIGINT NOT NULL,
  kind   TEXT   NOT NULL,                -- new, link
  source TEXT   NOT NULL,
  person TEXT   NOT NULL,
  reason TEXT   NOT NULL                 -- for example "number", "no-number", "doubt"
);
-- Pairs that share a number while name or birth date differ.
CREATE TABLE ident_doubt (
  source  TEXT   NOT NULL,
  person  TEXT   NOT NULL,
  at      BIGINT NOT NULL,
  reason  TEXT   NOT NULL,
  decided TEXT   NOT NULL,               -- '', same, different
  PRIMARY KEY (source, person)
);
