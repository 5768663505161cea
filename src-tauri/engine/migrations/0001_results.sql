-- Results of Patchbay. Times are Unix milliseconds. Definitions are files of the workspace and secrets lie in the
-- keychain; neither is ever here. A migration that was released is never changed; the next one gets the next number.

-- What was done, when, with what outcome. A number is never given twice, so that a link to a removed run stays dead.
CREATE TABLE runs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    integration TEXT,
    kind        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    duration_ms REAL    NOT NULL,
    verdict     TEXT    NOT NULL,
    partial     INTEGER NOT NULL,
    headline    TEXT    NOT NULL
) STRICT;
CREATE INDEX runs_by_integration ON runs (integration, id);
CREATE INDEX runs_by_kind ON runs (kind, id);
CREATE INDEX runs_by_time ON runs (at);

-- What a run found, as JSON; apart from the list, which is read far more often.
CREATE TABLE reports (
    run      INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    encoding TEXT NOT NULL, -- json, or json+deflate (RFC 1951)
    body     BLOB NOT NULL
) STRICT;

-- Health checks. The index holds all that a chart of latency asks for.
CREATE TABLE checks (
    id                    INTEGER PRIMARY KEY,
    integration           TEXT    NOT NULL,
    at                    INTEGER NOT NULL,
    healthy               INTEGER NOT NULL,
    latency_ms            REAL,
    http_status           INTEGER,
    conditions            TEXT    NOT NULL, -- JSON
    problem               TEXT,             -- JSON
    certificate_not_after INTEGER
) STRICT;
CREATE INDEX checks_by_time ON checks (integration, at, healthy, latency_ms);

-- Stretches in which nobody checked. Those of an integration neither overlap nor touch.
CREATE TABLE unobserved (
    integration TEXT    NOT NULL,
    from_at     INTEGER NOT NULL,
    to_at       INTEGER NOT NULL,
    PRIMARY KEY (integration, from_at)
) STRICT, WITHOUT ROWID;

-- Stretches of failure; at most one of an integration is open.
CREATE TABLE incidents (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    integration TEXT    NOT NULL,
    opened      INTEGER NOT NULL,
    ended       INTEGER,
    failures    INTEGER NOT NULL,
    cause       TEXT    NOT NULL
) STRICT;
CREATE INDEX incidents_by_integration ON incidents (integration, opened);
CREATE UNIQUE INDEX incidents_open ON incidents (integration) WHERE ended IS NULL;

-- Scraped series. A number is never given twice: another copy of the program may still remember it.
CREATE TABLE series (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    integration TEXT NOT NULL,
    name        TEXT NOT NULL,
    labels      TEXT NOT NULL, -- JSON: pairs of name and value, sorted
    family      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    help        TEXT NOT NULL,
    UNIQUE (integration, name, labels)
) STRICT;
CREATE INDEX series_by_family ON series (integration, family);

CREATE TABLE samples (
    series INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    at     INTEGER NOT NULL,
    value  REAL, -- NULL is NaN, which SQLite can't hold
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;

-- What a person set, as JSON.
CREATE TABLE settings (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL
) STRICT;
