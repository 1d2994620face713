-- What was measured of models, and which run serves as its net's production model. Rows that share `comparable`
-- were measured on the same windows against the same index; only they may be ranked together.
CREATE TABLE results (
    id INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    comparable TEXT NOT NULL,
    context INTEGER NOT NULL,
    corpus TEXT NOT NULL,
    encoder TEXT NOT NULL,
    split TEXT NOT NULL,
    row TEXT NOT NULL,
    articles TEXT NOT NULL,
    created REAL NOT NULL,
    UNIQUE (model, comparable, context)
);
CREATE INDEX results_by_group ON results (comparable);
CREATE TABLE result_examples (
    result_id INTEGER PRIMARY KEY REFERENCES results (id) ON DELETE CASCADE,
    examples TEXT NOT NULL
);
CREATE TABLE promotions (
    id INTEGER PRIMARY KEY,
    net TEXT NOT NULL,
    encoder TEXT NOT NULL,
    model TEXT NOT NULL,
    promoted REAL NOT NULL,
    archived REAL
);
CREATE UNIQUE INDEX promotions_now ON promotions (net, encoder) WHERE archived IS NULL;
