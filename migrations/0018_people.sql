-- Whom a key stands for, and the groups that gates of release plans ask for.
SELECT set_config('sluice.tenant', '*', true);

-- NULL: the key itself.
ALTER TABLE api_key ADD COLUMN owner text;
ALTER TABLE api_key ADD COLUMN groups text[] NOT NULL DEFAULT '{}';
