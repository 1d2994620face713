-- Corpora, their articles and chunks, with full-text search. Row r of a corpus is line r of its vector matrices.
CREATE TABLE corpora (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('ingesting', 'ready')),
    source TEXT NOT NULL,
    licence TEXT NOT NULL DEFAULT '',
    chunker TEXT NOT NULL,
    ordered INTEGER NOT NULL DEFAULT 1,
    n_documents INTEGER NOT NULL DEFAULT 0,
    n_chunks INTEGER NOT NULL DEFAULT 0,
    digest TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    details TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    corpus_id INTEGER NOT NULL REFERENCES corpora (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    title TEXT NOT NULL,
    first_row INTEGER NOT NULL,
    n_chunks INTEGER NOT NULL,
    n_chars INTEGER NOT NULL,
    digest TEXT NOT NULL,
    coherence REAL,
    UNIQUE (corpus_id, ordinal)
);
CREATE INDEX documents_by_title ON documents (corpus_id, title);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    corpus_id INTEGER NOT NULL REFERENCES corpora (id) ON DELETE CASCADE,
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    position INTEGER NOT NULL,
    section TEXT NOT NULL DEFAULT '',
    start INTEGER NOT NULL DEFAULT 0,
    "end" INTEGER NOT NULL DEFAULT 0,
    text TEXT NOT NULL,
    coherence REAL,
    tmd INTEGER,
    external_id TEXT,
    UNIQUE (corpus_id, row)
);
CREATE INDEX chunks_by_document ON chunks (document_id, position);
CREATE VIRTUAL TABLE chunks_fts USING fts5 (text, content = 'chunks', content_rowid = 'id', tokenize = 'porter unicode61');
CREATE TRIGGER chunks_after_insert AFTER INSERT ON chunks BEGIN
    INSERT INTO chunks_fts (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER chunks_after_delete AFTER DELETE ON chunks BEGIN
    INSERT INTO chunks_fts (chunks_fts, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER chunks_after_update AFTER UPDATE OF text ON chunks BEGIN
    INSERT INTO chunks_fts (chunks_fts, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO chunks_fts (rowid, text) VALUES (new.id, new.text);
END;
