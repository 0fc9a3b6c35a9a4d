-- Work that goes on behind the doors on behalf of whoever asked for it.
-- Instants are UTC milliseconds, 0: not yet.
CREATE TABLE exchange_job (
  id        {key}   NOT NULL PRIMARY KEY,
  kind      {key}   NOT NULL, -- export, import, reindex
  state     {key}   NOT NULL, -- waiting, running, done, failed
  client    {key}   NOT NULL, -- who alone may ask for it again (see clientOf)
  principal {bytes} NOT NULL, -- on whose behalf it runs, JSON
  request   TEXT    NOT NULL, -- address it was asked for at
  spec      {bytes} NOT NULL, -- what was asked for, JSON
  place     {bytes} NOT NULL, -- how far it has come, JSON
  step      BIGINT  NOT NULL, -- counts the slices: who has another number has lost the job
  done      BIGINT  NOT NULL, -- resources
  note      TEXT    NOT NULL, -- what it is at, for the page
  created   BIGINT  NOT NULL,
  updated   BIGINT  NOT NULL,
  ended     BIGINT  NOT NULL,
  expires   BIGINT  NOT NULL, -- files and job are gone then
  fault     TEXT    NOT NULL  -- why it failed, JSON, blank: it did not
);
CREATE INDEX exchange_job_state ON exchange_job (state, created);

-- Files of a job: those that an export made, or that an import was given.
CREATE TABLE exchange_file (
  job   {key}  NOT NULL, n BIGINT NOT NULL,
  role  {key}  NOT NULL, -- output, deleted, error, input
  typ   {key}  NOT NULL, -- resource type
  items BIGINT NOT NULL, parts BIGINT NOT NULL, bytes BIGINT NOT NULL,
  PRIMARY KEY (job, n)) {clustered};

-- What a file holds, in pieces that fit in memory; zstd.
CREATE TABLE exchange_part (
  job  {key}   NOT NULL, n BIGINT NOT NULL, part BIGINT NOT NULL,
  size BIGINT  NOT NULL, -- unpacked
  body {bytes} NOT NULL,
  PRIMARY KEY (job, n, part));
