CREATE TABLE setting (name {key} NOT NULL PRIMARY KEY, value {bytes} NOT NULL);

CREATE TABLE ids (typ {key} NOT NULL, id {key} NOT NULL, rid BIGINT NOT NULL, cp BIGINT NOT NULL, PRIMARY KEY (typ, id)) {clustered};

CREATE TABLE res (
  rid BIGINT NOT NULL, cp BIGINT NOT NULL, h BIGINT NOT NULL, typ {key} NOT NULL, id {key} NOT NULL,
  version BIGINT NOT NULL, updated BIGINT NOT NULL, deleted BIGINT NOT NULL, owner {key} NOT NULL, pats TEXT NOT NULL,
  d BIGINT NOT NULL, body {bytes} NOT NULL, entries {bytes} NOT NULL, PRIMARY KEY (rid, cp));
CREATE INDEX res_h ON res (h);
CREATE INDEX res_updated ON res (typ, updated, rid);

CREATE TABLE hist (
  rid BIGINT NOT NULL, cp BIGINT NOT NULL, typ {key} NOT NULL, version BIGINT NOT NULL, updated BIGINT NOT NULL, until BIGINT NOT NULL,
  deleted BIGINT NOT NULL, owner {key} NOT NULL, pats TEXT NOT NULL, body {bytes} NOT NULL, PRIMARY KEY (rid, version, cp)) {clustered};
CREATE INDEX hist_updated ON hist (typ, updated, rid);

CREATE TABLE claim (slot BIGINT NOT NULL PRIMARY KEY, n BIGINT NOT NULL);

CREATE TABLE post (v BIGINT NOT NULL, d BIGINT NOT NULL, rid BIGINT NOT NULL, cp BIGINT NOT NULL, PRIMARY KEY (v, d, rid, cp)) {clustered};

CREATE TABLE txt (p BIGINT NOT NULL, s {key} NOT NULL, d BIGINT NOT NULL, rid BIGINT NOT NULL, cp BIGINT NOT NULL, PRIMARY KEY (p, s, d, rid, cp)) {clustered};
CREATE INDEX txt_rid ON txt (rid, p);

CREATE TABLE span (p BIGINT NOT NULL, lo BIGINT NOT NULL, hi BIGINT NOT NULL, d BIGINT NOT NULL, rid BIGINT NOT NULL, cp BIGINT NOT NULL, PRIMARY KEY (p, lo, hi, d, rid, cp)) {clustered};
CREATE INDEX span_rid ON span (rid, p);

CREATE TABLE refr (rid BIGINT NOT NULL, p BIGINT NOT NULL, h BIGINT NOT NULL, cp BIGINT NOT NULL, PRIMARY KEY (rid, p, h, cp)) {clustered};

CREATE TABLE person (h BIGINT NOT NULL, k BIGINT NOT NULL, g BIGINT NOT NULL, cp BIGINT NOT NULL, PRIMARY KEY (h, k, g, cp)) {clustered};
CREATE INDEX person_g ON person (g, k);

CREATE TABLE ownparam (base {key} NOT NULL, code {key} NOT NULL, print TEXT NOT NULL, PRIMARY KEY (base, code));

CREATE TABLE paramset (typ {key} NOT NULL, v BIGINT NOT NULL, params TEXT NOT NULL, PRIMARY KEY (typ, v)) {clustered};

CREATE TABLE audit (
  seq {serial}, at BIGINT NOT NULL, kind {key} NOT NULL, agent {key} NOT NULL, name TEXT NOT NULL, facility {key} NOT NULL, role {key} NOT NULL,
  purpose {key} NOT NULL, rule {key} NOT NULL, action {key} NOT NULL, outcome {key} NOT NULL, entity TEXT NOT NULL, detail TEXT NOT NULL,
  acts TEXT NOT NULL, request {key} NOT NULL, remote {key} NOT NULL,
  patients TEXT NOT NULL, -- as in audit_patient: sorted, with a blank between
  nonce {bytes} NOT NULL, -- 16 random bytes: the row's hash in the public log can't be found by guessing the row
  xid {xid});
CREATE INDEX audit_agent ON audit (agent, seq);
CREATE INDEX audit_order ON audit (xid, seq) WHERE xid > 0; -- SQLite, whose seq is the order of commits, keeps it empty
CREATE TABLE audit_patient (patient {key} NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (patient, seq)) {clustered};

CREATE TABLE outbox (seq {serial}, xid {xid}, at BIGINT NOT NULL, topic {key} NOT NULL, key {key} NOT NULL, body {bytes} NOT NULL);
CREATE INDEX outbox_order ON outbox (xid, seq);
