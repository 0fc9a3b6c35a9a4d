-- What a Subscription resource does not hold: on whose behalf it is delivered,
-- its secrets, and how far it has come. Instants are UTC milliseconds.
CREATE TABLE exchange_subscription (
  id        {key}   NOT NULL PRIMARY KEY, -- of the resource
  version   BIGINT  NOT NULL,             -- of the resource that the spec was read from
  state     {key}   NOT NULL,             -- requested, active, error, off
  facility  {key}   NOT NULL,
  principal {bytes} NOT NULL,             -- JSON
  spec      {bytes} NOT NULL,             -- JSON, without secrets
  secret    {bytes} NOT NULL,             -- header lines, sealed
  begun     BIGINT  NOT NULL,             -- 0: no place in the outbox yet
  commits   BIGINT  NOT NULL, seq BIGINT NOT NULL, -- place in the outbox: everything before it is matched
  events    BIGINT  NOT NULL,             -- number of the last event
  delivered BIGINT  NOT NULL,             -- number of the last event that the endpoint took
  tries     BIGINT  NOT NULL,             -- in vain since the last that was not
  due       BIGINT  NOT NULL,             -- not to be tried again before
  spoke     BIGINT  NOT NULL,             -- last time that the endpoint took anything
  paused    BIGINT  NOT NULL,             -- by the administrator: events gather, nothing is sent
  lease     BIGINT  NOT NULL, holder {key} NOT NULL, -- who delivers, and until when
  fault     TEXT    NOT NULL,             -- JSON
  created   BIGINT  NOT NULL
);

-- What happened for a subscription, numbered in order.
CREATE TABLE exchange_event (
  sub {key} NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL,
  typ {key} NOT NULL, id {key} NOT NULL, version BIGINT NOT NULL,
  what {key} NOT NULL, -- create, update, delete
  PRIMARY KEY (sub, n)) {clustered};
CREATE INDEX exchange_event_at ON exchange_event (at);
