-- A received file. Instants are UTC milliseconds.
CREATE TABLE claims_receipt (
  id        TEXT   NOT NULL PRIMARY KEY, -- transaction number (maGiaoDich)
  facility  TEXT   NOT NULL,             -- MA_CSKCB of the sender
  door      TEXT   NOT NULL,             -- gateway, page, import
  name      TEXT   NOT NULL,             -- file name as given, may be blank
  sender    TEXT   NOT NULL,             -- account that sent it
  received  BIGINT NOT NULL,
  blob      TEXT   NOT NULL,             -- SHA-256 of the original
  bytes     BIGINT NOT NULL,
  state     TEXT   NOT NULL,             -- waiting, done, refused
  ngaylap   TEXT   NOT NULL,
  hosos     BIGINT NOT NULL,
  error_key TEXT   NOT NULL,
  error_vi  TEXT   NOT NULL,
  error_en  TEXT   NOT NULL
);
CREATE INDEX claims_receipt_facility ON claims_receipt (facility, received, id);
CREATE INDEX claims_receipt_state ON claims_receipt (state, received, id);
CREATE INDEX claims_receipt_blob ON claims_receipt (blob, facility);

-- One HOSO of a file.
CREATE TABLE claims_hoso (
  receipt    TEXT   NOT NULL,
  ordinal    BIGINT NOT NULL,
  facility   TEXT   NOT NULL,
  ma_lk      TEXT   NOT NULL,
  state      TEXT   NOT NULL,            -- waiting, stored, unchanged, older, refused, failed
  errors     BIGINT NOT NULL,
  warnings   BIGINT NOT NULL,
  notchecked TEXT   NOT NULL,            -- JSON: for what want, which rules
  encounter  TEXT   NOT NULL,            -- id of the Encounter when stored
  finished   BIGINT NOT NULL,
  PRIMARY KEY (receipt, ordinal)
);
CREATE INDEX claims_hoso_key ON claims_hoso (facility, ma_lk, finished);

-- What the rules found, in the order of the report.
CREATE TABLE claims_finding (
  receipt  TEXT   NOT NULL,
  ordinal  BIGINT NOT NULL,
  n        BIGINT NOT NULL,
  rule     TEXT   NOT NULL,
  severity TEXT   NOT NULL,
  tbl      TEXT   NOT NULL,
  line     BIGINT NOT NULL,
  field    TEXT   NOT NULL,
  vi       TEXT   NOT NULL,
  en       TEXT   NOT NULL,
  mend     TEXT   NOT NULL,
  PRIMARY KEY (receipt, ordinal, n)
);

-- The version of a visit that stands: the key of a visit is (facility, MA_LK).
CREATE TABLE claims_current (
  facility  TEXT   NOT NULL,
  ma_lk     TEXT   NOT NULL,
  canon     TEXT   NOT NULL,             -- SHA-256 of the canonical HOSO
  ngaylap   TEXT   NOT NULL,
  received  BIGINT NOT NULL,
  receipt   TEXT   NOT NULL,
  ordinal   BIGINT NOT NULL,
  resources TEXT   NOT NULL,             -- Type/id, parted by blanks
  PRIMARY KEY (facility, ma_lk)
);
