-- Which purposes of which agreements rest on a legal basis, so that records are found by it: a record
-- has agreement, version and purpose in columns, and its bases in its leaf.
CREATE VIEW audit.legal_basis AS
SELECT b.value AS legal_basis, a.agency, a.id AS agreement, a.version, p.key AS purpose
FROM disclosure.agreement a
CROSS JOIN LATERAL jsonb_each(a.terms -> 'purposes') AS p
CROSS JOIN LATERAL jsonb_array_elements_text(p.value -> 'legal_basis') AS b;
