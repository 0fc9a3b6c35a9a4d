-- The persons. A golden Patient of the same id shows each of them.
CREATE TABLE ident_person (
  id      {key} NOT NULL PRIMARY KEY,
  gone_to {key} NOT NULL                  -- the person that took its place, '' while it stands
) {clustered};
CREATE INDEX ident_person_gone ON ident_person (gone_to) WHERE gone_to <> '';
-- The person of each source record.
CREATE TABLE ident_link (
  source  {key}  NOT NULL PRIMARY KEY,
  person  {key}  NOT NULL,
  version BIGINT NOT NULL,                -- of the source that was looked at last
  told    BIGINT NOT NULL                 -- when the source was told what it says: the newest one shows
) {clustered};
CREATE INDEX ident_link_person ON ident_link (person, source);
-- The numbers that name a person, as each source record carries them. The key
-- is a hash to be short and of one form; the number itself stands in the Patient.
CREATE TABLE ident_key (
  k      {key}  NOT NULL,
  source {key}  NOT NULL,
  state  BIGINT NOT NULL,                 -- 0 its own, 1 does not fit who carries it, 2 carried formerly
  PRIMARY KEY (k, source)
) {clustered};
CREATE INDEX ident_key_source ON ident_key (source);
-- One row a number, which matchers of the same number lock.
CREATE TABLE ident_number (k {key} NOT NULL PRIMARY KEY) {clustered};
-- Every change of a link, in order; undoing one appends another.
CREATE TABLE ident_event (
  seq    {serial},
  at     BIGINT NOT NULL,
  kind   {key}  NOT NULL,                 -- new, link, merge, split, undo
  reason TEXT   NOT NULL,
  undoes BIGINT NOT NULL                  -- event, 0 when it undoes none
);
CREATE TABLE ident_move (
  event  BIGINT NOT NULL,
  what   {key}  NOT NULL,                 -- source: its person; person: who took its place
  id     {key}  NOT NULL,
  was    {key}  NOT NULL,
  became {key}  NOT NULL,
  PRIMARY KEY (event, what, id)
) {clustered};
CREATE INDEX ident_move_person ON ident_move (id) WHERE what = 'person';
CREATE INDEX ident_move_was ON ident_move (was) WHERE was <> '';
CREATE INDEX ident_move_became ON ident_move (became);
-- A source record and a person of whom it is not certain whether they are one.
CREATE TABLE ident_doubt (
  source  {key}  NOT NULL,
  person  {key}  NOT NULL,
  at      BIGINT NOT NULL,
  reason  {key}  NOT NULL,
  decided {key}  NOT NULL,                -- '' while open, different
  PRIMARY KEY (source, person)
) {clustered};
