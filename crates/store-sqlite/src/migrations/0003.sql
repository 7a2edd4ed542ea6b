-- What the registrar finds again after a restart. The text is the registrar's own; an address without
-- bindings has no row.

CREATE TABLE registration (
    address TEXT PRIMARY KEY,
    bindings TEXT NOT NULL,
    ends INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
