CREATE TABLE IF NOT EXISTS orders (
  id              TEXT   PRIMARY KEY,
  name            TEXT   NOT NULL,
  amount          BIGINT NOT NULL,
  state           TEXT   NOT NULL DEFAULT 'new',
  payment_key     TEXT   NOT NULL DEFAULT '',
  idempotency_key TEXT   NOT NULL DEFAULT '',
  key_id          TEXT   NOT NULL DEFAULT '',
  code            TEXT   NOT NULL DEFAULT '',
  payment         JSONB,
  version         BIGINT NOT NULL DEFAULT 0,                    -- a job knows the one that it was written with
  woken           BOOLEAN NOT NULL DEFAULT false,               -- an event has come since the last look began
  looked_at       TIMESTAMPTZ NOT NULL DEFAULT 'epoch'          -- when it began
);
CREATE TABLE IF NOT EXISTS refunds (
  id       TEXT  PRIMARY KEY,
  order_id TEXT  NOT NULL REFERENCES orders,
  state    TEXT  NOT NULL,
  refund   JSONB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_pending_refund ON refunds (order_id) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS events (
  identity TEXT  PRIMARY KEY,
  body     BYTEA NOT NULL
);
CREATE TABLE IF NOT EXISTS subscriptions (
  id          TEXT    PRIMARY KEY,
  amount      BIGINT  NOT NULL,
  begins      DATE    NOT NULL CHECK (extract(day FROM begins) = 1),
  ended       BOOLEAN NOT NULL DEFAULT false,
  billing_key BYTEA   NOT NULL,             -- sealed
  key_hash    BYTEA   NOT NULL,
  card_ended  BOOLEAN NOT NULL DEFAULT false
);
CREATE TABLE IF NOT EXISTS charges (
  subscription TEXT   NOT NULL REFERENCES subscriptions,
  period       TEXT   NOT NULL,             -- 2026-03
  amount       BIGINT NOT NULL,
  state        TEXT   NOT NULL DEFAULT 'due',
  attempt      INT    NOT NULL DEFAULT 0,   -- order id: sub7-2026-03-0
  refusals     INT    NOT NULL DEFAULT 0,
  code         TEXT   NOT NULL DEFAULT '',
  payment_key  TEXT   NOT NULL DEFAULT '',
  version      BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (subscription, period)
);
