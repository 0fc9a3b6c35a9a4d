-- A received file. Instants are UTC milliseconds. seq is the order in which
-- files came: of two files made on one day the later one is the newer version.
CREATE TABLE claims_receipt (
  seq        {serial},
  id         {key}  NOT NULL UNIQUE,     -- transaction number (maGiaoDich)
  facility   {key}  NOT NULL,            -- MA_CSKCB of the sender
  kind       TEXT   NOT NULL,            -- loaiHoSo: 130, 0, 12; blank when unreadable
  door       TEXT   NOT NULL,            -- gateway, page, import
  name       TEXT   NOT NULL,            -- file name as given, may be blank
  sender     TEXT   NOT NULL,            -- account that sent it
  received   BIGINT NOT NULL,
  blob       {key}  NOT NULL,            -- SHA-256 of the original
  bytes      BIGINT NOT NULL,
  state      TEXT   NOT NULL,            -- waiting, done, refused
  ngaylap    TEXT   NOT NULL,
  hosos      BIGINT NOT NULL,
  error_key  TEXT   NOT NULL,
  error_vi   TEXT   NOT NULL,
  error_en   TEXT   NOT NULL,
  notchecked TEXT   NOT NULL,            -- JSON: which rules of the file, for what want
  -- how many HOSO got which answer; filled when all have one
  stored     BIGINT NOT NULL DEFAULT 0,
  unchanged  BIGINT NOT NULL DEFAULT 0,
  older      BIGINT NOT NULL DEFAULT 0,
  kept       BIGINT NOT NULL DEFAULT 0,
  bad        BIGINT NOT NULL DEFAULT 0,  -- refused for errors
  failed     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX claims_receipt_facility ON claims_receipt (facility, seq);
CREATE INDEX claims_receipt_faulty ON claims_receipt (facility, seq) WHERE bad > 0 OR failed > 0;
CREATE INDEX claims_receipt_waiting ON claims_receipt (facility, seq) WHERE state = 'waiting';
CREATE INDEX claims_receipt_refused ON claims_receipt (facility, seq) WHERE state = 'refused';
CREATE INDEX claims_receipt_blob ON claims_receipt (blob, facility);

-- One HOSO of a file, or one row of a check-in or assessment table.
CREATE TABLE claims_hoso (
  receipt    {key}  NOT NULL,
  ordinal    BIGINT NOT NULL,            -- from 1
  facility   {key}  NOT NULL,
  ma_lk      {key}  NOT NULL,
  state      TEXT   NOT NULL,            -- waiting, stored, unchanged, older, kept, refused, failed
  errors     BIGINT NOT NULL DEFAULT 0,
  warnings   BIGINT NOT NULL DEFAULT 0,
  notchecked TEXT   NOT NULL DEFAULT '', -- JSON: which rules, for what want
  encounter  TEXT   NOT NULL DEFAULT '', -- id of the Encounter, where there is one
  tries      BIGINT NOT NULL DEFAULT 0,  -- how often it failed by our fault
  finished   BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (receipt, ordinal)
) {clustered};
CREATE INDEX claims_hoso_key ON claims_hoso (facility, ma_lk);
CREATE INDEX claims_hoso_failed ON claims_hoso (receipt) WHERE state = 'failed';

-- What the rules found, in the order of the report. Ordinal 0 is the file itself.
CREATE TABLE claims_finding (
  receipt  {key}  NOT NULL,
  ordinal  BIGINT NOT NULL,
  n        BIGINT NOT NULL,
  rule     {key}  NOT NULL,
  severity TEXT   NOT NULL,
  tbl      TEXT   NOT NULL,
  line     BIGINT NOT NULL,
  field    TEXT   NOT NULL,
  vi       TEXT   NOT NULL,
  en       TEXT   NOT NULL,
  mend     TEXT   NOT NULL,
  PRIMARY KEY (receipt, ordinal, n)
);
CREATE INDEX claims_finding_rule ON claims_finding (receipt, rule, severity, ordinal, n);

-- The version of a visit that stands: the key of a visit is (facility, MA_LK).
-- Newer means: a claim before a check-in, then the day or minute it was made,
-- then the order in which files came, then the place in the file.
CREATE TABLE claims_current (
  facility  {key}  NOT NULL,
  ma_lk     {key}  NOT NULL,
  grade     BIGINT NOT NULL,             -- 0 check-in, 1 claim
  made      {key}  NOT NULL,             -- yyyymmdd of NGAYLAP; yyyymmddHHMM of NGAY_YL for a check-in
  seq       BIGINT NOT NULL,             -- of the receipt
  ordinal   BIGINT NOT NULL,
  canon     TEXT   NOT NULL,             -- SHA-256 of the canonical HOSO; blank: nothing stands
  receipt   {key}  NOT NULL,             -- where the content that stands was first read
  hoso      BIGINT NOT NULL,             -- its ordinal there
  resources TEXT   NOT NULL,             -- Type/id of what belongs to the visit alone, parted by blanks
  PRIMARY KEY (facility, ma_lk)
);

-- The visit that a source Patient was last written from: the visits of a
-- facility share it, and an old visit that comes late must not undo a new one.
CREATE TABLE claims_patient (
  patient {key} NOT NULL PRIMARY KEY,    -- id of the source Patient
  left_at {key} NOT NULL,                -- NGAY_RA; blank for a check-in
  made    {key} NOT NULL,
  ma_lk   {key} NOT NULL
) {clustered};
