-- The chunks of one domain in their order; the domain is the four highest bits of a TMD code.
CREATE INDEX chunks_by_domain ON chunks (corpus_id, tmd >> 12, row) WHERE tmd IS NOT NULL;
