"""PostgreSQL as it is spoken: connections, its binary COPY, reading and writing tables of concepts."""
