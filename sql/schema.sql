-- The database as it is after all migrations (a test proves it). {configs} is the configs table's name, a setting.

-- The owner's table: one row describes one sync. Live in users' databases and written by their portal, so we
-- only ever add to it: columns nullable or defaulted, no foreign keys (the portal deletes rows).
CREATE TABLE IF NOT EXISTS {configs} (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL,
    google_sheet_url text NOT NULL,
    google_sheet_tab_name varchar(255),
    google_cloud_project_id varchar(255) NOT NULL,
    bigquery_dataset_id varchar(255) NOT NULL,
    bigquery_table_id varchar(255) NOT NULL,
    schema_handling varchar(50) DEFAULT 'auto_detect',
    custom_schema jsonb
);
ALTER TABLE {configs}
    ADD COLUMN IF NOT EXISTS last_run timestamptz,
    ADD COLUMN IF NOT EXISTS run_frequency_hours integer DEFAULT 24,
    ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
    ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at timestamptz DEFAULT now(),
    -- What a config may say beside the owner's columns (README.md, "Options"); NULL is all defaults.
    ADD COLUMN IF NOT EXISTS options jsonb,
    -- Ours: the slot of the last scheduled run that succeeded. Where last_run says the same, the schedule stands
    -- there; where it does not, somebody else moved last_run, and the ledger has to be asked.
    ADD COLUMN IF NOT EXISTS scheduled_run timestamptz,
    -- Since when, and why, a config is paused whose is_active the product set to false.
    ADD COLUMN IF NOT EXISTS paused_at timestamptz,
    ADD COLUMN IF NOT EXISTS paused_reason text;

-- Indexes. One that is there stays, whoever made it; those made here say so, so that they alone are taken back.
-- An index's name is unique in its schema: in a second configs table's, the table's number follows it.
DO $do$
DECLARE
    configs CONSTANT regclass := $name${configs}$name$;
    place CONSTANT text := (
        SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = configs
    );
    wanted record;
    own_name text;
BEGIN
    FOR wanted IN VALUES
        -- The guide's.
        ('idx_configs_active_last_run', 'is_active, last_run', 'true'),
        -- Two active configs that replace one table are found by this.
        ('idx_configs_destination', $keys$
            btrim(google_cloud_project_id, E' \t\r\n'),
            btrim(bigquery_dataset_id, E' \t\r\n'),
            btrim(bigquery_table_id, E' \t\r\n')
        $keys$, 'true'),
        -- By name, for requests by hand.
        ('idx_configs_name', 'name', 'true'),
        -- Before when a config is not due, in seconds since 1970, which no year and no interval overflows; 0 where
        -- the ledger has to be asked. It finds what may be due among a million, in an order to go through by parts.
        ('idx_configs_due', $keys$(
            CASE WHEN last_run = scheduled_run
            THEN date_part('epoch', last_run AT TIME ZONE 'UTC') + 3600::float8 * coalesce(run_frequency_hours, 24)
            ELSE 0 END
        ), id$keys$, 'is_active')
    LOOP
        own_name := wanted.column1 || '_' || configs::oid;
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = configs AND c.relname IN (wanted.column1, own_name)
        );
        IF to_regclass(format('%I.%I', place, wanted.column1)) IS NULL THEN
            own_name := wanted.column1;
        END IF;
        EXECUTE format(
            'CREATE INDEX %I ON %s (%s)%s', own_name, configs, wanted.column2, ' WHERE ' || nullif(wanted.column3, 'true')
        );
        EXECUTE format('COMMENT ON INDEX %I.%I IS %L', place, own_name, 'made by sheet-to-bigquery');
    END LOOP;
END
$do$;

-- The view that the guide names, made by every `up` where it is missing: who alters a column that it shows has to
-- drop it first. Where configs are marked for the migration, it shows those that are the job's. Its comment tells ours,
-- as we made it, from one that somebody else made or narrowed.
DO $do$
BEGIN
    IF to_regclass('active_job_configs') IS NULL THEN
        IF EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = $name${configs}$name$::regclass AND attname = 'migration_status' AND NOT attisdropped
        ) THEN
            CREATE VIEW active_job_configs AS
                SELECT * FROM {configs} WHERE is_active AND migration_status = 'job_ready';
        ELSE
            CREATE VIEW active_job_configs AS SELECT * FROM {configs} WHERE is_active;
        END IF;
        EXECUTE format(
            'COMMENT ON VIEW active_job_configs IS %L',
            'made by sheet-to-bigquery, as ' || md5(pg_get_viewdef('active_job_configs'::regclass))
        );
    END IF;
END
$do$;

-- One row a run: the outbox, the history, and the only authority on retries.
CREATE TABLE sheet_to_bigquery_runs (
    id uuid PRIMARY KEY,
    -- Copies, not references: a run outlives its config's row.
    config_id bigint NOT NULL,
    config_name text NOT NULL,
    destination text NOT NULL, -- project.dataset.table
    slot timestamptz NOT NULL, -- the instant this run stands for
    why text NOT NULL CHECK (why IN ('schedule', 'manual', 'reset', 'shadow')),
    state text NOT NULL DEFAULT 'pending' CHECK (
        state IN ('pending', 'queued', 'launching', 'running', 'succeeded', 'failed', 'cancelled')
    ),
    created_at timestamptz NOT NULL,

    -- Admission: from pending to queued.
    batch uuid, -- the call of dispatch that recorded it
    batch_cap integer CHECK (batch_cap > 0), -- at most so many of the batch in flight
    not_before timestamptz NOT NULL,
    -- Its place among those that wait: one that failed comes behind all that were due before its next attempt.
    turn timestamptz NOT NULL GENERATED ALWAYS AS (
        CASE WHEN failures > 0 THEN greatest(slot, not_before) ELSE slot END
    ) STORED,
    reads integer NOT NULL CHECK (reads > 0), -- Sheets reads that admission reserves
    allow_shrink boolean NOT NULL DEFAULT false, -- for this run, the option max_shrink holds nothing back
    -- Of the attempts that were admitted within the quota's window, this one's included.
    reads_reserved integer NOT NULL DEFAULT 0 CHECK (reads_reserved >= 0),
    admitted_at timestamptz,
    published_at timestamptz, -- when its message was published again, because nobody had heard it

    -- The attempt: from queued through launching to running. Its BigQuery job id is made of id and attempt.
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    claimed_at timestamptz,
    had_last_run boolean, -- whether last_run had a value at the claim: a NULL since then is a person's request
    job_project text,
    job_location text,
    execution text,
    lease_until timestamptz, -- when to look, not when to kill
    deadline timestamptz, -- when to kill
    cancel_requested_at timestamptz, -- a person's wish, which settling carries out

    -- The outcome, as BigQuery's job and the execution's message tell it. No cell values.
    ended_at timestamptz,
    verdict text CHECK (verdict IN ('loaded', 'unchanged', 'kept')), -- of a run that succeeded
    rows bigint,
    bytes bigint,
    requests integer,
    sheet_reads integer, -- of the requests, those that the Sheets quota counts
    columns jsonb,
    schema_changes jsonb,
    content_hash text,
    sheet_modified_at timestamptz, -- Drive's modifiedTime of the spreadsheet, as it was read
    source text, -- a hash of what the config read when the run was claimed
    warnings jsonb,
    seconds jsonb,
    error_class text,
    error text,
    remedy text, -- what to do about it, which the end of `error` says as well
    permanent boolean NOT NULL DEFAULT false, -- of a run that failed: trying again cannot help

    -- Keeps a slot from being recorded twice, and finds the newest scheduled run.
    CONSTRAINT runs_of_a_slot UNIQUE (config_id, why, slot),
    CONSTRAINT ended_runs_have_an_end CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT claimed_runs_have_an_attempt CHECK (
        state NOT IN ('launching', 'running')
        OR (
            attempt > 0 AND claimed_at IS NOT NULL AND had_last_run IS NOT NULL
            AND job_project IS NOT NULL AND job_location IS NOT NULL
            AND lease_until IS NOT NULL AND deadline IS NOT NULL
        )
    ),
    CONSTRAINT running_runs_have_an_execution CHECK (state <> 'running' OR execution IS NOT NULL),
    CONSTRAINT verdicts_are_of_successes CHECK (verdict IS NULL OR state = 'succeeded'),
    CONSTRAINT permanent_failures_are_failures CHECK (NOT permanent OR state = 'failed')
);
-- What may follow what (shared/states.py; a test compares). A condition, not a lookup: what is allowed costs nothing.
CREATE FUNCTION sheet_to_bigquery_refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $do$
BEGIN
    RAISE EXCEPTION 'a run cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
END
$do$;
CREATE TRIGGER runs_transitions BEFORE UPDATE OF state ON sheet_to_bigquery_runs FOR EACH ROW
WHEN (
    OLD.state <> NEW.state
    AND NOT (OLD.state = 'pending' AND NEW.state IN ('queued', 'failed', 'cancelled'))
    AND NOT (OLD.state = 'queued' AND NEW.state IN ('pending', 'launching', 'failed', 'cancelled'))
    AND NOT (OLD.state = 'launching' AND NEW.state IN ('pending', 'running', 'succeeded', 'failed', 'cancelled'))
    AND NOT (OLD.state = 'running' AND NEW.state IN ('pending', 'succeeded', 'failed', 'cancelled'))
)
EXECUTE FUNCTION sheet_to_bigquery_refuse_transition();
-- No statistics of states: what they were some minutes ago, before ten thousand runs were recorded, would have the
-- planner take whole indexes of waiting and active runs for a row or two.
ALTER TABLE sheet_to_bigquery_runs ALTER COLUMN state SET STATISTICS 0;
-- At most one active run per config and per table.
CREATE UNIQUE INDEX runs_active_config ON sheet_to_bigquery_runs (config_id)
    WHERE state IN ('queued', 'launching', 'running');
CREATE UNIQUE INDEX runs_active_destination ON sheet_to_bigquery_runs (destination)
    WHERE state IN ('queued', 'launching', 'running');
-- At most one request by hand waits behind an open run.
CREATE UNIQUE INDEX runs_follow_up ON sheet_to_bigquery_runs (config_id)
    WHERE why = 'manual' AND state = 'pending' AND attempt = 0;
-- At most one shadow run waits that has not begun.
CREATE UNIQUE INDEX runs_shadow ON sheet_to_bigquery_runs (config_id)
    WHERE why = 'shadow' AND state = 'pending' AND attempt = 0;
-- What admission and the due rule look up.
CREATE INDEX runs_admitted ON sheet_to_bigquery_runs (admitted_at) INCLUDE (reads_reserved)
    WHERE admitted_at IS NOT NULL;
-- Admission finds the next runs in their order, those of a capped batch apart, and what waits of a config.
CREATE INDEX runs_waiting ON sheet_to_bigquery_runs (turn, id) WHERE state = 'pending' AND batch_cap IS NULL;
CREATE INDEX runs_waiting_batch ON sheet_to_bigquery_runs (batch, turn, id)
    WHERE state = 'pending' AND batch_cap IS NOT NULL;
CREATE INDEX runs_active_batch ON sheet_to_bigquery_runs (batch)
    WHERE state IN ('queued', 'launching', 'running') AND batch_cap IS NOT NULL;
CREATE INDEX runs_waiting_config ON sheet_to_bigquery_runs (config_id) WHERE state = 'pending';
-- How many reads the newest run took that told it.
CREATE INDEX runs_read ON sheet_to_bigquery_runs (config_id, created_at DESC) WHERE requests IS NOT NULL;
-- The newest load of a config, whose content its table may have still.
CREATE INDEX runs_loaded ON sheet_to_bigquery_runs (config_id, ended_at DESC) WHERE verdict = 'loaded';
-- How a config fared of late.
CREATE INDEX runs_fared ON sheet_to_bigquery_runs (config_id, created_at DESC) WHERE ended_at IS NOT NULL;
-- What is cleaned away by age, and what ended how on the day that the console shows.
CREATE INDEX runs_ended ON sheet_to_bigquery_runs (ended_at) INCLUDE (state, verdict) WHERE ended_at IS NOT NULL;
CREATE INDEX runs_batch ON sheet_to_bigquery_runs (batch) WHERE batch IS NOT NULL;

-- Messages by hand, once each, and messages that nobody can understand (poison), with the reason, until a person
-- publishes them again or drops them, or all that is so old is cleaned away.
CREATE TABLE sheet_to_bigquery_messages (
    message_id text PRIMARY KEY,
    received_at timestamptz NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('accepted', 'poison', 'retried', 'dropped')),
    reason text,
    run_id uuid,
    body text NOT NULL, -- truncated
    CONSTRAINT poison_has_a_reason CHECK (verdict <> 'poison' OR reason IS NOT NULL)
);
CREATE INDEX messages_poison ON sheet_to_bigquery_messages (received_at) WHERE verdict = 'poison';
CREATE INDEX messages_received ON sheet_to_bigquery_messages (received_at);
-- A rollback asks which of the portal's messages waited for a run that it cancelled.
CREATE INDEX messages_portal ON sheet_to_bigquery_messages (run_id) WHERE message_id LIKE 'portal/%';

-- What people are to be told of a run's end, once: noted with the end itself, sent later.
CREATE TABLE sheet_to_bigquery_notices (
    run_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('failed', 'paused', 'recovered', 'succeeded')),
    not_before timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    heard text[] NOT NULL DEFAULT '{}', -- the channels that took it
    closed_at timestamptz -- every channel took it, or it was given up
);
CREATE INDEX notices_open ON sheet_to_bigquery_notices (not_before) WHERE closed_at IS NULL;

-- The migration from the older service. Who owned a config's table when, and who changed that why: written by the
-- trigger that `migrate.py start` sets (sql/tracking/start.sql), and kept when it goes.
CREATE TABLE sheet_to_bigquery_owner_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    config_id bigint, -- NULL: tracking began, or ended
    config_name text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    reason text,
    before text NOT NULL,
    after text NOT NULL
);
CREATE INDEX owner_changes_of_config ON sheet_to_bigquery_owner_changes (config_id, id);

-- The portal's messages that were handed to the service. While one is open, the service may be writing the table.
CREATE TABLE sheet_to_bigquery_forwards (
    message_id text PRIMARY KEY,
    config_id bigint, -- NULL: of no config that the message names
    destination text, -- project.dataset.table, as the message has it; NULL: it names none
    begun_at timestamptz NOT NULL, -- of the newest attempt
    open_until timestamptz NOT NULL, -- the service has given up by then, whatever it answered
    attempts integer NOT NULL DEFAULT 1 CHECK (attempts > 0),
    ended_at timestamptz, -- when a definite answer came
    status integer, -- HTTP's, of that answer
    CONSTRAINT answered_forwards_have_a_status CHECK ((ended_at IS NULL) = (status IS NULL))
);
CREATE INDEX forwards_open_config ON sheet_to_bigquery_forwards (config_id) WHERE ended_at IS NULL;
CREATE INDEX forwards_open_destination ON sheet_to_bigquery_forwards (destination) WHERE ended_at IS NULL;
CREATE INDEX forwards_of_config ON sheet_to_bigquery_forwards (config_id, begun_at DESC);
CREATE INDEX forwards_begun ON sheet_to_bigquery_forwards (begun_at);

-- How the service's table and the job's compared. Columns' names and counts; no cell values.
CREATE TABLE sheet_to_bigquery_comparisons (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    config_id bigint NOT NULL,
    config_name text NOT NULL,
    compared_at timestamptz NOT NULL DEFAULT now(),
    service_table text NOT NULL,
    job_table text NOT NULL,
    run_id uuid, -- the run that loaded the job's table
    source text, -- that run's
    service_loaded_at timestamptz,
    job_loaded_at timestamptz,
    verdict text NOT NULL CHECK (verdict IN ('MATCH', 'MISMATCH', 'SHEET_CHANGED', 'SHADOW_OLDER')),
    service_rows bigint,
    job_rows bigint,
    differences jsonb,
    CONSTRAINT comparisons_of_two_loads UNIQUE (config_id, run_id, service_loaded_at)
);
CREATE INDEX comparisons_newest ON sheet_to_bigquery_comparisons (config_id, compared_at DESC);

-- Plans: what a run of a config would do, asked for by a person and told by an execution of the job that loads nothing.
-- Headers, columns' names and cells' addresses; no cell values.
CREATE TABLE sheet_to_bigquery_plans (
    id uuid PRIMARY KEY,
    config_id bigint, -- NULL: a candidate, which is in no table
    config jsonb NOT NULL, -- the columns of a config's row as they were then, as the parser takes them
    edited_from jsonb, -- of a plan of an edit: the config's columns before it, as a person was shown them
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'launched', 'done', 'failed')),
    launched_at timestamptz,
    execution text,
    ended_at timestamptz,
    plan jsonb, -- shared/plan.py
    error_class text,
    error text,
    remedy text, -- what to do about it, which the end of `error` says as well
    CONSTRAINT ended_plans_have_an_end CHECK ((state IN ('done', 'failed')) = (ended_at IS NOT NULL)),
    CONSTRAINT launched_plans_have_a_launch CHECK (
        state = 'failed' OR (state = 'requested') = (launched_at IS NULL)
    ),
    CONSTRAINT done_plans_tell CHECK (state <> 'done' OR (plan IS NOT NULL AND error_class IS NULL)),
    CONSTRAINT failed_plans_have_an_error CHECK ((state = 'failed') = (error IS NOT NULL AND error_class IS NOT NULL))
);
-- Those that nobody has answered yet, and what is cleaned away by age.
CREATE INDEX plans_open ON sheet_to_bigquery_plans (requested_at) WHERE ended_at IS NULL;
CREATE INDEX plans_ended ON sheet_to_bigquery_plans (ended_at) WHERE ended_at IS NOT NULL;

-- What people did at the console, each written in the transaction of what it changed.
-- Who, when, what and why; no cell values. Rows are never changed: only added, and cleaned away by age.
CREATE TABLE sheet_to_bigquery_actions (
    id uuid PRIMARY KEY, -- made of the form that was sent: one that comes twice acts once
    acted_at timestamptz NOT NULL,
    acted_by text NOT NULL,
    action text NOT NULL CHECK (action IN (
        'run', 'retry', 'cancel', 'pause', 'resume', 'frequency', 'edit', 'plan', 'add', 'promote', 'rollback'
    )),
    config_id bigint, -- NULL: a plan of a candidate, which is in no table
    config_name text,
    run_id uuid, -- the run that was cancelled, or asked for again
    details jsonb NOT NULL DEFAULT '{}' -- shared/acted.py
);
CREATE INDEX actions_of_config ON sheet_to_bigquery_actions (config_id, acted_at DESC);
CREATE INDEX actions_acted ON sheet_to_bigquery_actions (acted_at);
