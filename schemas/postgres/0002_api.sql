-- When a system last called: told by each worker at most once a minute, for people who look for silent connections.
ALTER TABLE system ADD COLUMN seen_at timestamptz;

CREATE INDEX system_certificate_system ON system_certificate (system);
