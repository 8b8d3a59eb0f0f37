CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Twilio accounts. `preset` ones are checked; the others were learned from who came in.
CREATE TABLE IF NOT EXISTS account (
    sid        TEXT PRIMARY KEY,
    auth_token TEXT NOT NULL,
    preset     INTEGER NOT NULL,
    api_keys   TEXT NOT NULL DEFAULT '{}'
);

-- Every send that reached a provider, refused ones too, and inbound messages.
-- `at_ms` is by the simulator's clock; `received_ms`, `sent_ms`, `final_ms` by the wall, because
-- statuses move in real time. Statuses are derived from these, never stored.
CREATE TABLE IF NOT EXISTS message (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    provider     TEXT NOT NULL,
    direction    TEXT NOT NULL,
    account      TEXT NOT NULL,
    sid          TEXT,
    to_number    TEXT NOT NULL,
    wire_to      TEXT NOT NULL,
    sender       TEXT,
    service      TEXT,
    body         TEXT NOT NULL,
    segments     INTEGER NOT NULL,
    media        INTEGER NOT NULL,
    reference    TEXT,
    at_ms        INTEGER NOT NULL,
    received_ms  INTEGER NOT NULL,
    accepted     INTEGER NOT NULL,
    code         INTEGER,
    fault        TEXT,
    sent_ms      INTEGER,
    final_ms     INTEGER,
    final_status TEXT,
    final_code   INTEGER,
    request      TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_to ON message (to_number, seq);
CREATE INDEX IF NOT EXISTS message_sid ON message (sid) WHERE sid IS NOT NULL;

-- Callbacks to make and made. `after` is one that has to be done first.
CREATE TABLE IF NOT EXISTS callback (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    message         INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    status          TEXT NOT NULL,
    account         TEXT NOT NULL,
    url             TEXT NOT NULL,
    content         TEXT NOT NULL,
    wrong_signature INTEGER NOT NULL,
    due_ms          INTEGER NOT NULL,
    first_ms        INTEGER NOT NULL,
    after           INTEGER,
    state           TEXT NOT NULL DEFAULT 'pending',
    attempts        INTEGER NOT NULL DEFAULT 0,
    answer_status   INTEGER,
    answer          TEXT,
    problem         TEXT,
    done_ms         INTEGER
);
CREATE INDEX IF NOT EXISTS callback_due ON callback (due_ms) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS callback_message ON callback (message);

-- Mails that SES took.
CREATE TABLE IF NOT EXISTS mail (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL,
    to_address TEXT NOT NULL,
    subject    TEXT NOT NULL,
    text       TEXT NOT NULL,
    at_ms      INTEGER NOT NULL
);

-- Numbers that replied STOP, by the number of ours (or the messaging service) they replied to.
CREATE TABLE IF NOT EXISTS block (
    account TEXT NOT NULL,
    number  TEXT NOT NULL,
    sender  TEXT NOT NULL,
    PRIMARY KEY (account, number, sender)
);
