-- Jobs: argument lists that wait, run or have run. `attempt` fences: whoever holds an older number is no longer it.
-- `mono` columns are the machine's monotonic clock, comparable only where `host` (boot and pid space) is the same.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    argv TEXT NOT NULL,
    program TEXT,
    resume_argv TEXT,
    cwd TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')),
    place INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    cancelling INTEGER NOT NULL DEFAULT 0,
    progress REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    run TEXT,
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    earlier_s REAL NOT NULL DEFAULT 0,
    elapsed_s REAL NOT NULL DEFAULT 0,
    silent_s REAL NOT NULL DEFAULT 0,
    host TEXT,
    claimed_mono REAL,
    supervisor_pid INTEGER,
    supervisor_born TEXT,
    pid INTEGER,
    born TEXT,
    heartbeat REAL,
    heartbeat_mono REAL,
    exit_code INTEGER
);
CREATE INDEX jobs_by_state ON jobs (state, place);
CREATE INDEX jobs_by_created ON jobs (created);
CREATE TABLE job_settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
