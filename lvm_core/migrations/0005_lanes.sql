-- Short jobs that somebody waits for have a lane of their own.

ALTER TABLE jobs ADD COLUMN lane TEXT NOT NULL DEFAULT 'long';
