-- Who has signed in. Of every secret only a hash is kept. Instants are UTC milliseconds.
CREATE TABLE trust_session (
  hash     {key}  NOT NULL PRIMARY KEY, -- SHA-256 of the token in the cookie, hex
  kind     TEXT   NOT NULL,             -- citizen, staff
  agent    TEXT   NOT NULL,             -- account id; of a citizen the golden Patient's id
  name     TEXT   NOT NULL,
  facility TEXT   NOT NULL,             -- MA_CSKCB, blank when none
  role     TEXT   NOT NULL,
  device   TEXT   NOT NULL,             -- such as "Chrome · Windows"
  created  BIGINT NOT NULL,
  seen     BIGINT NOT NULL,             -- to the minute
  idle     BIGINT NOT NULL,             -- milliseconds without a request after which it ends
  ends     BIGINT NOT NULL              -- ends then in any case
);
CREATE INDEX trust_session_agent ON trust_session (kind, agent);
CREATE INDEX trust_session_ends ON trust_session (ends);

-- Links that sign somebody in once.
CREATE TABLE trust_link (
  hash     {key}  NOT NULL PRIMARY KEY, -- SHA-256 of the token in the link, hex
  role     TEXT   NOT NULL,
  facility TEXT   NOT NULL,
  person   TEXT   NOT NULL,
  name     TEXT   NOT NULL,
  created  BIGINT NOT NULL,
  expires  BIGINT NOT NULL,
  used     BIGINT NOT NULL              -- 0: not yet
);
CREATE INDEX trust_link_expires ON trust_link (expires);

-- Machine accounts of hospitals' senders.
CREATE TABLE trust_account (
  name     {key}  NOT NULL PRIMARY KEY, -- 25001_BV
  facility TEXT   NOT NULL,
  phc      TEXT   NOT NULL,             -- argon2id over the MD5 of the secret in upper-case hex
  created  BIGINT NOT NULL,
  used     BIGINT NOT NULL,             -- last token taken, 0: never
  revoked  BIGINT NOT NULL              -- 0: in force
);

-- Tokens that machine accounts took.
CREATE TABLE trust_token (
  hash     {key}  NOT NULL PRIMARY KEY, -- SHA-256 of access_token, hex
  idhash   TEXT   NOT NULL,             -- SHA-256 of id_token, hex
  proof    TEXT   NOT NULL,             -- SHA-256 of access_token and the passwordHash it was taken with, hex
  account  TEXT   NOT NULL,
  facility TEXT   NOT NULL,
  created  BIGINT NOT NULL,
  expires  BIGINT NOT NULL
);
CREATE INDEX trust_token_account ON trust_token (account);
CREATE INDEX trust_token_expires ON trust_token (expires);
