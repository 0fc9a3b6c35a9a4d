-- Originals as they were received, one row per content.
CREATE TABLE blob (
  hash  TEXT    NOT NULL PRIMARY KEY, -- SHA-256 of the bytes, lower-case hex
  size  BIGINT  NOT NULL,             -- bytes before compression
  body  {bytes} NOT NULL              -- zstd
);
