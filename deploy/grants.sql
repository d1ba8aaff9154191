-- What each login may do; nothing else. Run by the owner after every migration, safe to repeat.
-- {{api}}, {{sequencer}} and {{auditor}} are the logins' names.
GRANT USAGE ON SCHEMA registry, disclosure, auth, audit TO {api};
GRANT SELECT ON registry.release, registry.pointer, registry.activation TO {api};
GRANT SELECT ON disclosure.authority, disclosure.agency, disclosure.agreement, disclosure.restriction TO {api};
GRANT INSERT ON disclosure.used_proof TO {api};
GRANT SELECT (kind, holder, jti) ON disclosure.used_proof TO {api};
GRANT SELECT, INSERT, UPDATE ON disclosure.repeat TO {api};
GRANT SELECT, INSERT (jti, client, expires) ON disclosure.revoked_token TO {api};
GRANT EXECUTE ON FUNCTION disclosure.revoke_waiting_tokens TO {api};
GRANT SELECT ON auth.client TO {api};
GRANT SELECT, INSERT, UPDATE ON auth.client_use TO {api};
GRANT EXECUTE ON FUNCTION auth.rotate_keys TO {api};
GRANT EXECUTE ON FUNCTION disclosure.fence, disclosure.set_fence TO {api};
GRANT EXECUTE ON FUNCTION disclosure.draw_lease, disclosure.return_lease, disclosure.window_start TO {api};
GRANT INSERT ON audit.record, audit.pending TO {api};
GRANT SELECT (id) ON audit.record TO {api};
GRANT SELECT (recorded_at) ON audit.pending TO {api};
GRANT USAGE ON SCHEMA legacy TO {api};
GRANT SELECT ON legacy.population, legacy.added_link, legacy.withdrawn_link TO {api};
GRANT EXECUTE ON FUNCTION legacy.note, legacy.progress, legacy.present_week TO {api};

GRANT USAGE ON SCHEMA audit, disclosure TO {sequencer};
GRANT SELECT (id, recorded_at, subjects, families, officer, case_ref, leaf) ON audit.record TO {sequencer};
GRANT INSERT ON audit.record TO {sequencer};
GRANT SELECT, INSERT, DELETE ON audit.pending TO {sequencer};
GRANT SELECT, INSERT, UPDATE ON audit.tree TO {sequencer};
GRANT SELECT, INSERT ON audit.leaf, audit.tile, audit.checkpoint TO {sequencer};
GRANT INSERT, SELECT ON audit.mention TO {sequencer};
GRANT SELECT, UPDATE ON audit.progress TO {sequencer};
GRANT EXECUTE ON FUNCTION audit.ensure_partitions, audit.ensure_log, audit.chained TO {sequencer};
GRANT DELETE, SELECT (expires) ON disclosure.used_proof, disclosure.revoked_token TO {sequencer};
GRANT DELETE, SELECT (expires) ON disclosure.repeat TO {sequencer};

GRANT USAGE ON SCHEMA audit TO {auditor};
GRANT SELECT ON audit.record, audit.mention, audit.progress, audit.legal_basis TO {auditor};
GRANT SELECT ON audit.tree, audit.leaf, audit.tile, audit.checkpoint TO {auditor};
GRANT SELECT (id, recorded_at) ON audit.pending TO {auditor};
