-- The concepts of large code systems, apart from their resource (package canonical).
CREATE TABLE canonical_part (
  url {key} NOT NULL,
  version {key} NOT NULL,
  n INTEGER NOT NULL,
  body {bytes} NOT NULL,
  PRIMARY KEY (url, version, n)
);
