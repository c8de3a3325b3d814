-- A database that version acb7d5b has filled: the rules of README's example, a release that went through, one that bakes, one that
-- waits at a pause and a draft, four connected proxies. Made with: pg_dump --no-owner --no-privileges --inserts, without signing keys.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE DOMAIN public.dns_label AS text COLLATE pg_catalog."C"
	CONSTRAINT dns_label_check CHECK ((VALUE ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'::text));
CREATE DOMAIN public.scope_part AS text COLLATE pg_catalog."C"
	CONSTRAINT scope_part_check CHECK (((VALUE = ''::text) OR (VALUE ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'::text)));
CREATE FUNCTION public.visible_tenant(tenant text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ((tenant = current_setting('sluice.tenant'::text, true)) OR (current_setting('sluice.tenant'::text, true) = '*'::text));
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.api_key (
    tenant public.dns_label NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    secret_hash bytea NOT NULL,
    prefix text NOT NULL,
    role text NOT NULL,
    meshes text[] DEFAULT '{}'::text[] NOT NULL,
    namespaces text[] DEFAULT '{}'::text[] NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT api_key_secret_hash_check CHECK ((length(secret_hash) = 32))
);
ALTER TABLE ONLY public.api_key FORCE ROW LEVEL SECURITY;
CREATE TABLE public.audit_event (
    sequence bigint NOT NULL,
    tenant public.dns_label NOT NULL,
    actor text NOT NULL,
    request_id text NOT NULL,
    action text NOT NULL,
    kind text NOT NULL,
    mesh public.scope_part NOT NULL,
    namespace public.scope_part NOT NULL,
    service public.scope_part NOT NULL,
    name public.dns_label NOT NULL,
    revision bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT audit_event_action_check CHECK ((action = ANY (ARRAY['put'::text, 'putStatus'::text, 'delete'::text])))
);
ALTER TABLE ONLY public.audit_event FORCE ROW LEVEL SECURITY;
ALTER TABLE public.audit_event ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_event_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.change (
    tenant public.dns_label NOT NULL,
    mesh public.scope_part NOT NULL,
    revision bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    namespace public.scope_part NOT NULL,
    service public.scope_part NOT NULL,
    name public.dns_label NOT NULL,
    deleted boolean NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY public.change FORCE ROW LEVEL SECURITY;
CREATE TABLE public.forgotten_proxy (
    tenant public.dns_label NOT NULL,
    mesh public.dns_label NOT NULL,
    revision bigint NOT NULL,
    namespace public.dns_label NOT NULL,
    name public.dns_label NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY public.forgotten_proxy FORCE ROW LEVEL SECURITY;
CREATE TABLE public.idempotent_call (
    tenant public.dns_label NOT NULL,
    scope text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status integer NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotent_call_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255))),
    CONSTRAINT idempotent_call_status_check CHECK (((status >= 200) AND (status <= 599)))
);
ALTER TABLE ONLY public.idempotent_call FORCE ROW LEVEL SECURITY;
CREATE TABLE public.mesh (
    tenant public.dns_label NOT NULL,
    mesh public.scope_part NOT NULL,
    revision bigint DEFAULT 0 NOT NULL,
    compacted bigint DEFAULT 0 NOT NULL,
    CONSTRAINT mesh_compacted_check CHECK ((compacted >= 0)),
    CONSTRAINT mesh_revision_check CHECK ((revision >= 0))
);
ALTER TABLE ONLY public.mesh FORCE ROW LEVEL SECURITY;
CREATE TABLE public.object (
    tenant public.dns_label NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    mesh public.scope_part NOT NULL,
    namespace public.scope_part NOT NULL,
    service public.scope_part NOT NULL,
    name public.dns_label NOT NULL,
    uid uuid DEFAULT gen_random_uuid() NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    revision bigint NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    annotations jsonb DEFAULT '{}'::jsonb NOT NULL,
    spec jsonb NOT NULL,
    status jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT object_annotations_check CHECK ((jsonb_typeof(annotations) = 'object'::text)),
    CONSTRAINT object_generation_check CHECK ((generation > 0)),
    CONSTRAINT object_kind_check CHECK ((kind ~ '^[A-Z][A-Za-z]{0,62}$'::text)),
    CONSTRAINT object_labels_check CHECK ((jsonb_typeof(labels) = 'object'::text)),
    CONSTRAINT object_revision_check CHECK ((revision > 0)),
    CONSTRAINT object_spec_check CHECK ((jsonb_typeof(spec) = 'object'::text)),
    CONSTRAINT object_status_check CHECK ((jsonb_typeof(status) = 'object'::text))
);
ALTER TABLE ONLY public.object FORCE ROW LEVEL SECURITY;
CREATE TABLE public.operation (
    tenant public.dns_label NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    verb text NOT NULL,
    target text NOT NULL,
    done boolean NOT NULL,
    metadata jsonb NOT NULL,
    error jsonb,
    response jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY public.operation FORCE ROW LEVEL SECURITY;
CREATE TABLE public.proxy (
    tenant public.dns_label NOT NULL,
    mesh public.dns_label NOT NULL,
    namespace public.dns_label NOT NULL,
    name public.dns_label NOT NULL,
    replica text NOT NULL,
    connected boolean NOT NULL,
    connected_at timestamp with time zone NOT NULL,
    acked_revision bigint NOT NULL,
    rejected_revision bigint,
    rejected_message text,
    types jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    client jsonb DEFAULT '{}'::jsonb NOT NULL,
    revision bigint DEFAULT 1 NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY public.proxy FORCE ROW LEVEL SECURITY;
CREATE TABLE public.proxy_feed (
    tenant public.dns_label NOT NULL,
    mesh public.dns_label NOT NULL,
    revision bigint NOT NULL,
    compacted bigint DEFAULT 0 NOT NULL,
    CONSTRAINT proxy_feed_compacted_check CHECK ((compacted >= 0)),
    CONSTRAINT proxy_feed_revision_check CHECK ((revision > 0))
);
ALTER TABLE ONLY public.proxy_feed FORCE ROW LEVEL SECURITY;
CREATE TABLE public.release (
    tenant public.dns_label NOT NULL,
    mesh public.dns_label NOT NULL,
    namespace public.dns_label NOT NULL,
    name public.dns_label NOT NULL,
    service public.dns_label NOT NULL,
    port integer NOT NULL,
    active boolean DEFAULT false NOT NULL,
    row_version bigint DEFAULT 1 NOT NULL,
    lease_owner text,
    lease_epoch bigint DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    next_wakeup_at timestamp with time zone,
    last_driven_at timestamp with time zone,
    CONSTRAINT release_port_check CHECK (((port >= 1) AND (port <= 65535)))
);
ALTER TABLE ONLY public.release FORCE ROW LEVEL SECURITY;
CREATE TABLE public.release_event (
    sequence bigint NOT NULL,
    tenant public.dns_label NOT NULL,
    release uuid NOT NULL,
    dedupe_key text NOT NULL,
    type text NOT NULL,
    actor text NOT NULL,
    payload jsonb NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.release_event FORCE ROW LEVEL SECURITY;
ALTER TABLE public.release_event ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.release_event_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.replica (
    id text NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT now() NOT NULL,
    is_lost boolean DEFAULT false NOT NULL
);
CREATE TABLE public.schema_migration (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.signing_key (
    id text NOT NULL COLLATE pg_catalog."C",
    secret bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT signing_key_secret_check CHECK ((length(secret) = 32))
);
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (1, 'acme', 'platformAdministrator', 'req-31se61e98f3tf', 'put', 'Tenant', '', '', '', 'acme', 1, '2026-11-29 23:44:32.972076+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (2, 'acme', 'platformAdministrator', 'req-3vpy4rqd196qb', 'put', 'Cluster', '', '', '', 'dev', 2, '2026-11-29 23:44:32.979245+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (3, 'acme', 'platformAdministrator', 'req-2qz0iyf5bshz0', 'put', 'Service', 'default', 'shop', '', 'productpage', 3, '2026-11-29 23:44:32.986449+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (4, 'acme', 'platformAdministrator', 'req-1xretfh4555vq', 'put', 'Service', 'default', 'shop', '', 'reviews', 4, '2026-11-29 23:44:32.99016+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (5, 'acme', 'platformAdministrator', 'req-0d4a24yu7jtnn', 'put', 'Endpoint', 'default', 'shop', 'reviews', 'reviews-v1-1', 5, '2026-11-29 23:44:32.997292+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (6, 'acme', 'platformAdministrator', 'req-3s6c2vwpoiuxs', 'put', 'Endpoint', 'default', 'shop', 'reviews', 'reviews-v2-1', 6, '2026-11-29 23:44:33.001888+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (7, 'acme', 'platformAdministrator', 'req-0mxvkejgjd84q', 'put', 'Endpoint', 'default', 'shop', 'reviews', 'reviews-v3-1', 7, '2026-11-29 23:44:33.005307+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (8, 'acme', 'platformAdministrator', 'req-334uay31zzbe4', 'put', 'VirtualService', 'default', 'shop', '', 'reviews-route', 8, '2026-11-29 23:44:33.459349+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (9, 'acme', 'platformAdministrator', 'req-1aps5pd5xdcoe', 'put', 'VirtualService', 'default', 'shop', '', 'reviews-route', 9, '2026-11-29 23:44:33.92069+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (10, 'acme', 'platformAdministrator', 'req-2y2ub9uqugkyz', 'put', 'VirtualService', 'default', 'shop', '', 'reviews-route', 10, '2026-11-29 23:44:34.628363+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (11, 'acme', 'platformAdministrator', 'req-3w508hi7adi9h', 'put', 'Release', 'default', 'shop', '', 'reviews-v2', 11, '2026-11-29 23:44:35.432011+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (12, 'acme', 'platformAdministrator', 'req-11hxcizcbvshe', 'putStatus', 'Service', 'default', 'shop', '', 'reviews', 12, '2026-11-29 23:44:35.445504+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (13, 'acme', 'platformAdministrator', 'req-11hxcizcbvshe', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 12, '2026-11-29 23:44:35.445504+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (14, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 13, '2026-11-29 23:44:35.48243+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (15, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 14, '2026-11-29 23:44:35.548335+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (16, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 15, '2026-11-29 23:44:35.612749+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (17, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 16, '2026-11-29 23:44:39.635557+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (18, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 17, '2026-11-29 23:44:39.698733+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (19, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 18, '2026-11-29 23:44:43.72191+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (20, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 19, '2026-11-29 23:44:43.78842+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (21, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 20, '2026-11-29 23:44:47.810955+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (22, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 21, '2026-11-29 23:44:47.87459+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (23, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 22, '2026-11-29 23:44:51.897554+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (24, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Service', 'default', 'shop', '', 'reviews', 23, '2026-11-29 23:44:51.958578+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (25, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 23, '2026-11-29 23:44:51.958578+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (26, 'acme', 'release-engine', 'acme/default/shop/reviews-v2', 'putStatus', 'Release', 'default', 'shop', '', 'reviews-v2', 24, '2026-11-29 23:44:54.981457+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (27, 'globex', 'platformAdministrator', 'req-32jlj6ngrdxvr', 'put', 'Tenant', '', '', '', 'globex', 1, '2026-11-29 23:45:25.66828+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (28, 'globex', 'platformAdministrator', 'req-2gizmtaa8hxpu', 'put', 'Cluster', '', '', '', 'edge', 2, '2026-11-29 23:45:25.673332+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (29, 'acme', 'platformAdministrator', 'req-0md141xsgryk3', 'put', 'Service', 'default', 'shop', '', 'ratings', 25, '2026-11-29 23:45:25.67809+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (30, 'acme', 'platformAdministrator', 'req-08b6z6n20vue2', 'put', 'Endpoint', 'default', 'shop', 'ratings', 'e0', 26, '2026-11-29 23:45:25.681642+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (31, 'acme', 'platformAdministrator', 'req-12i5zoohgu6kq', 'put', 'Endpoint', 'default', 'shop', 'ratings', 'e1', 27, '2026-11-29 23:45:25.703894+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (32, 'acme', 'platformAdministrator', 'req-378tjztu9p6hv', 'put', 'Endpoint', 'default', 'shop', 'ratings', 'e2', 28, '2026-11-29 23:45:25.712528+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (33, 'acme', 'platformAdministrator', 'req-1i2qctvh8ci0k', 'put', 'Service', 'default', 'shop', '', 'details', 29, '2026-11-29 23:45:25.720378+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (34, 'acme', 'platformAdministrator', 'req-0ujfqjfn9ytla', 'put', 'Endpoint', 'default', 'shop', 'details', 'e0', 30, '2026-11-29 23:45:25.724848+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (35, 'acme', 'platformAdministrator', 'req-1k1dwlri4pa83', 'put', 'Endpoint', 'default', 'shop', 'details', 'e1', 31, '2026-11-29 23:45:25.741854+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (36, 'acme', 'platformAdministrator', 'req-2n66d3q9jj0h0', 'put', 'Endpoint', 'default', 'shop', 'details', 'e2', 32, '2026-11-29 23:45:25.746421+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (37, 'acme', 'platformAdministrator', 'req-14wxnj2n2pmwi', 'put', 'VirtualService', 'default', 'shop', '', 'details', 33, '2026-11-29 23:45:25.753449+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (38, 'acme', 'platformAdministrator', 'req-33vo2droxk9x5', 'put', 'DestinationRule', 'default', 'shop', '', 'details', 34, '2026-11-29 23:45:25.76451+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (39, 'acme', 'platformAdministrator', 'req-2ep8bggzzpksx', 'put', 'Release', 'default', 'shop', '', 'ratings-v2', 35, '2026-11-29 23:45:25.771112+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (40, 'acme', 'platformAdministrator', 'req-0rqwjhp52b3ir', 'putStatus', 'Service', 'default', 'shop', '', 'ratings', 36, '2026-11-29 23:45:25.792295+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (41, 'acme', 'platformAdministrator', 'req-0rqwjhp52b3ir', 'putStatus', 'Release', 'default', 'shop', '', 'ratings-v2', 36, '2026-11-29 23:45:25.792295+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (42, 'acme', 'platformAdministrator', 'req-32rai0xn6hlb0', 'put', 'Release', 'default', 'shop', '', 'details-v2', 37, '2026-11-29 23:45:25.803952+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (43, 'acme', 'platformAdministrator', 'req-3jvns9hmnyhkz', 'putStatus', 'Service', 'default', 'shop', '', 'details', 38, '2026-11-29 23:45:25.813421+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (44, 'acme', 'platformAdministrator', 'req-3jvns9hmnyhkz', 'putStatus', 'Release', 'default', 'shop', '', 'details-v2', 38, '2026-11-29 23:45:25.813421+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (45, 'acme', 'platformAdministrator', 'req-31g6fw18yitly', 'put', 'Release', 'default', 'shop', '', 'draft', 39, '2026-11-29 23:45:25.822843+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (46, 'acme', 'release-engine', 'acme/default/shop/ratings-v2', 'putStatus', 'Release', 'default', 'shop', '', 'ratings-v2', 40, '2026-11-29 23:45:25.852021+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (47, 'acme', 'release-engine', 'acme/default/shop/details-v2', 'putStatus', 'Release', 'default', 'shop', '', 'details-v2', 41, '2026-11-29 23:45:25.852565+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (48, 'acme', 'release-engine', 'acme/default/shop/details-v2', 'putStatus', 'Release', 'default', 'shop', '', 'details-v2', 42, '2026-11-29 23:45:25.883017+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (49, 'acme', 'release-engine', 'acme/default/shop/ratings-v2', 'putStatus', 'Release', 'default', 'shop', '', 'ratings-v2', 43, '2026-11-29 23:45:25.884008+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (50, 'acme', 'release-engine', 'acme/default/shop/details-v2', 'putStatus', 'Release', 'default', 'shop', '', 'details-v2', 44, '2026-11-29 23:45:25.896769+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (51, 'acme', 'release-engine', 'acme/default/shop/details-v2', 'putStatus', 'Release', 'default', 'shop', '', 'details-v2', 45, '2026-11-29 23:45:25.923206+00');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES (52, 'acme', 'release-engine', 'acme/default/shop/ratings-v2', 'putStatus', 'Release', 'default', 'shop', '', 'ratings-v2', 46, '2026-11-29 23:45:25.923924+00');
INSERT INTO public.change VALUES ('acme', '', 1, 'Tenant', '', '', 'acme', false, '2026-11-29 23:44:32.972076+00');
INSERT INTO public.change VALUES ('acme', '', 2, 'Cluster', '', '', 'dev', false, '2026-11-29 23:44:32.979245+00');
INSERT INTO public.change VALUES ('acme', 'default', 2, 'Cluster', '', '', 'dev', false, '2026-11-29 23:44:32.979245+00');
INSERT INTO public.change VALUES ('acme', 'default', 3, 'Service', 'shop', '', 'productpage', false, '2026-11-29 23:44:32.986449+00');
INSERT INTO public.change VALUES ('acme', 'default', 4, 'Service', 'shop', '', 'reviews', false, '2026-11-29 23:44:32.99016+00');
INSERT INTO public.change VALUES ('acme', 'default', 5, 'Endpoint', 'shop', 'reviews', 'reviews-v1-1', false, '2026-11-29 23:44:32.997292+00');
INSERT INTO public.change VALUES ('acme', 'default', 6, 'Endpoint', 'shop', 'reviews', 'reviews-v2-1', false, '2026-11-29 23:44:33.001888+00');
INSERT INTO public.change VALUES ('acme', 'default', 7, 'Endpoint', 'shop', 'reviews', 'reviews-v3-1', false, '2026-11-29 23:44:33.005307+00');
INSERT INTO public.change VALUES ('acme', 'default', 8, 'VirtualService', 'shop', '', 'reviews-route', false, '2026-11-29 23:44:33.459349+00');
INSERT INTO public.change VALUES ('acme', 'default', 9, 'VirtualService', 'shop', '', 'reviews-route', false, '2026-11-29 23:44:33.92069+00');
INSERT INTO public.change VALUES ('acme', 'default', 10, 'VirtualService', 'shop', '', 'reviews-route', false, '2026-11-29 23:44:34.628363+00');
INSERT INTO public.change VALUES ('acme', 'default', 11, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:35.432011+00');
INSERT INTO public.change VALUES ('acme', 'default', 12, 'Service', 'shop', '', 'reviews', false, '2026-11-29 23:44:35.445504+00');
INSERT INTO public.change VALUES ('acme', 'default', 12, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:35.445504+00');
INSERT INTO public.change VALUES ('acme', 'default', 13, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:35.48243+00');
INSERT INTO public.change VALUES ('acme', 'default', 14, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:35.548335+00');
INSERT INTO public.change VALUES ('acme', 'default', 15, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:35.612749+00');
INSERT INTO public.change VALUES ('acme', 'default', 16, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:39.635557+00');
INSERT INTO public.change VALUES ('acme', 'default', 17, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:39.698733+00');
INSERT INTO public.change VALUES ('acme', 'default', 18, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:43.72191+00');
INSERT INTO public.change VALUES ('acme', 'default', 19, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:43.78842+00');
INSERT INTO public.change VALUES ('acme', 'default', 20, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:47.810955+00');
INSERT INTO public.change VALUES ('acme', 'default', 21, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:47.87459+00');
INSERT INTO public.change VALUES ('acme', 'default', 22, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:51.897554+00');
INSERT INTO public.change VALUES ('acme', 'default', 23, 'Service', 'shop', '', 'reviews', false, '2026-11-29 23:44:51.958578+00');
INSERT INTO public.change VALUES ('acme', 'default', 23, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:51.958578+00');
INSERT INTO public.change VALUES ('acme', 'default', 24, 'Release', 'shop', '', 'reviews-v2', false, '2026-11-29 23:44:54.981457+00');
INSERT INTO public.change VALUES ('globex', '', 1, 'Tenant', '', '', 'globex', false, '2026-11-29 23:45:25.66828+00');
INSERT INTO public.change VALUES ('globex', '', 2, 'Cluster', '', '', 'edge', false, '2026-11-29 23:45:25.673332+00');
INSERT INTO public.change VALUES ('globex', 'default', 2, 'Cluster', '', '', 'edge', false, '2026-11-29 23:45:25.673332+00');
INSERT INTO public.change VALUES ('acme', 'default', 25, 'Service', 'shop', '', 'ratings', false, '2026-11-29 23:45:25.67809+00');
INSERT INTO public.change VALUES ('acme', 'default', 26, 'Endpoint', 'shop', 'ratings', 'e0', false, '2026-11-29 23:45:25.681642+00');
INSERT INTO public.change VALUES ('acme', 'default', 27, 'Endpoint', 'shop', 'ratings', 'e1', false, '2026-11-29 23:45:25.703894+00');
INSERT INTO public.change VALUES ('acme', 'default', 28, 'Endpoint', 'shop', 'ratings', 'e2', false, '2026-11-29 23:45:25.712528+00');
INSERT INTO public.change VALUES ('acme', 'default', 29, 'Service', 'shop', '', 'details', false, '2026-11-29 23:45:25.720378+00');
INSERT INTO public.change VALUES ('acme', 'default', 30, 'Endpoint', 'shop', 'details', 'e0', false, '2026-11-29 23:45:25.724848+00');
INSERT INTO public.change VALUES ('acme', 'default', 31, 'Endpoint', 'shop', 'details', 'e1', false, '2026-11-29 23:45:25.741854+00');
INSERT INTO public.change VALUES ('acme', 'default', 32, 'Endpoint', 'shop', 'details', 'e2', false, '2026-11-29 23:45:25.746421+00');
INSERT INTO public.change VALUES ('acme', 'default', 33, 'VirtualService', 'shop', '', 'details', false, '2026-11-29 23:45:25.753449+00');
INSERT INTO public.change VALUES ('acme', 'default', 34, 'DestinationRule', 'shop', '', 'details', false, '2026-11-29 23:45:25.76451+00');
INSERT INTO public.change VALUES ('acme', 'default', 35, 'Release', 'shop', '', 'ratings-v2', false, '2026-11-29 23:45:25.771112+00');
INSERT INTO public.change VALUES ('acme', 'default', 36, 'Service', 'shop', '', 'ratings', false, '2026-11-29 23:45:25.792295+00');
INSERT INTO public.change VALUES ('acme', 'default', 36, 'Release', 'shop', '', 'ratings-v2', false, '2026-11-29 23:45:25.792295+00');
INSERT INTO public.change VALUES ('acme', 'default', 37, 'Release', 'shop', '', 'details-v2', false, '2026-11-29 23:45:25.803952+00');
INSERT INTO public.change VALUES ('acme', 'default', 38, 'Service', 'shop', '', 'details', false, '2026-11-29 23:45:25.813421+00');
INSERT INTO public.change VALUES ('acme', 'default', 38, 'Release', 'shop', '', 'details-v2', false, '2026-11-29 23:45:25.813421+00');
INSERT INTO public.change VALUES ('acme', 'default', 39, 'Release', 'shop', '', 'draft', false, '2026-11-29 23:45:25.822843+00');
INSERT INTO public.change VALUES ('acme', 'default', 40, 'Release', 'shop', '', 'ratings-v2', false, '2026-11-29 23:45:25.852021+00');
INSERT INTO public.change VALUES ('acme', 'default', 41, 'Release', 'shop', '', 'details-v2', false, '2026-11-29 23:45:25.852565+00');
INSERT INTO public.change VALUES ('acme', 'default', 42, 'Release', 'shop', '', 'details-v2', false, '2026-11-29 23:45:25.883017+00');
INSERT INTO public.change VALUES ('acme', 'default', 43, 'Release', 'shop', '', 'ratings-v2', false, '2026-11-29 23:45:25.884008+00');
INSERT INTO public.change VALUES ('acme', 'default', 44, 'Release', 'shop', '', 'details-v2', false, '2026-11-29 23:45:25.896769+00');
INSERT INTO public.change VALUES ('acme', 'default', 45, 'Release', 'shop', '', 'details-v2', false, '2026-11-29 23:45:25.923206+00');
INSERT INTO public.change VALUES ('acme', 'default', 46, 'Release', 'shop', '', 'ratings-v2', false, '2026-11-29 23:45:25.923924+00');
INSERT INTO public.mesh VALUES ('acme', '', 2, 0);
INSERT INTO public.mesh VALUES ('globex', '', 2, 0);
INSERT INTO public.mesh VALUES ('globex', 'default', 2, 0);
INSERT INTO public.mesh VALUES ('acme', 'default', 46, 0);
INSERT INTO public.object VALUES ('acme', 'Tenant', '', '', '', 'acme', 'f66a48ac-746e-45e3-aade-290a6fd59e7f', 1, 1, '{}', '{}', '{"displayName": "Acme"}', '{}', '2026-11-29 23:44:32.972076+00', '2026-11-29 23:44:32.972076+00');
INSERT INTO public.object VALUES ('acme', 'Cluster', '', '', '', 'dev', '19c9f033-cdb1-4010-b3e0-4a72dbf8bdc0', 1, 2, '{}', '{}', '{"kind": "universal", "mesh": {"mesh": "default", "enabled": true}}', '{}', '2026-11-29 23:44:32.979245+00', '2026-11-29 23:44:32.979245+00');
INSERT INTO public.object VALUES ('acme', 'Service', 'default', 'shop', '', 'productpage', 'e2cc3a01-ced2-479c-afe2-f5be45df5b1a', 1, 3, '{}', '{}', '{"ports": [{"name": "http", "port": 9080, "protocol": "HTTP"}]}', '{}', '2026-11-29 23:44:32.986449+00', '2026-11-29 23:44:32.986449+00');
INSERT INTO public.object VALUES ('acme', 'Endpoint', 'default', 'shop', 'reviews', 'reviews-v1-1', 'a365f056-4c4b-4ad8-8ca6-095e47c0f5c3', 1, 5, '{}', '{}', '{"ports": {"http": 18184}, "health": "healthy", "weight": 1, "address": "127.0.0.1", "cluster": "dev", "sidecar": {"proxy": "reviews-v1-1", "workloadPorts": {"http": 18185}}, "version": "v1"}', '{}', '2026-11-29 23:44:32.997292+00', '2026-11-29 23:44:32.997292+00');
INSERT INTO public.object VALUES ('acme', 'Endpoint', 'default', 'shop', 'reviews', 'reviews-v2-1', '205559b1-0d4f-47b5-835d-48b7655e6d62', 1, 6, '{}', '{}', '{"ports": {"http": 18186}, "health": "healthy", "weight": 1, "address": "127.0.0.1", "cluster": "dev", "sidecar": {"proxy": "reviews-v2-1", "workloadPorts": {"http": 18187}}, "version": "v2"}', '{}', '2026-11-29 23:44:33.001888+00', '2026-11-29 23:44:33.001888+00');
INSERT INTO public.object VALUES ('acme', 'Endpoint', 'default', 'shop', 'reviews', 'reviews-v3-1', '7f2cb64c-a5f6-4ded-b516-f0cc7a4cd6b3', 1, 7, '{}', '{}', '{"ports": {"http": 18188}, "health": "healthy", "weight": 1, "address": "127.0.0.1", "cluster": "dev", "sidecar": {"proxy": "reviews-v3-1", "workloadPorts": {"http": 18189}}, "version": "v3"}', '{}', '2026-11-29 23:44:33.005307+00', '2026-11-29 23:44:33.005307+00');
INSERT INTO public.object VALUES ('acme', 'Service', 'default', 'shop', '', 'reviews', 'd017809e-4644-46fb-9659-0b6d98acfb24', 1, 23, '{}', '{}', '{"ports": [{"name": "http", "port": 9080, "protocol": "HTTP"}], "versions": [{"name": "v1"}, {"name": "v2"}, {"name": "v3"}]}', '{"promotions": [{"to": "v2", "from": "v1", "revision": 23}], "stableVersion": "v2"}', '2026-11-29 23:44:32.99016+00', '2026-11-29 23:44:51.958578+00');
INSERT INTO public.object VALUES ('acme', 'VirtualService', 'default', 'shop', '', 'reviews-route', '68ddc45f-1441-4e3e-afcb-f4477b97d126', 3, 10, '{}', '{}', '{"http": [{"match": [{"uri": {"prefix": "/catalog1"}, "headers": {"cookie": {"regex": "^(.*?;)?(user=jason)(;.*)?"}}}, {"uri": {"prefix": "/catalog2"}}], "route": [{"weight": 25, "destination": {"host": "reviews", "subset": "v2"}}, {"weight": 75, "destination": {"host": "reviews", "subset": "v3"}}], "rewrite": {"uri": "/newcatalog"}}, {"route": [{"destination": {"host": "reviews", "subset": "v1"}}]}], "hosts": ["reviews"], "gateways": ["bookinfo", "mesh"]}', '{}', '2026-11-29 23:44:33.459349+00', '2026-11-29 23:44:34.628363+00');
INSERT INTO public.object VALUES ('acme', 'Endpoint', 'default', 'shop', 'details', 'e0', 'd405e67c-cb51-44bf-b1ab-a607f3e4a523', 1, 30, '{}', '{}', '{"ports": {"http": 19000}, "health": "healthy", "weight": 2, "address": "127.0.0.1", "cluster": "dev", "version": "v1", "locality": "r1/z1/"}', '{}', '2026-11-29 23:45:25.724848+00', '2026-11-29 23:45:25.724848+00');
INSERT INTO public.object VALUES ('acme', 'Endpoint', 'default', 'shop', 'details', 'e1', 'a9da2f5d-e3ae-42e0-a1a2-9b8b2d7b82cf', 1, 31, '{}', '{}', '{"ports": {"http": 19001}, "health": "healthy", "weight": 2, "address": "127.0.0.1", "cluster": "dev", "version": "v2", "locality": "r1/z1/"}', '{}', '2026-11-29 23:45:25.741854+00', '2026-11-29 23:45:25.741854+00');
INSERT INTO public.object VALUES ('acme', 'Endpoint', 'default', 'shop', 'details', 'e2', '598d5425-49b3-4b73-a535-05b5eb5fad65', 1, 32, '{}', '{}', '{"ports": {"http": 19002}, "health": "healthy", "weight": 2, "address": "127.0.0.1", "cluster": "dev", "version": "v3", "locality": "r1/z1/"}', '{}', '2026-11-29 23:45:25.746421+00', '2026-11-29 23:45:25.746421+00');
INSERT INTO public.object VALUES ('acme', 'VirtualService', 'default', 'shop', '', 'details', '56a7c9bc-ce61-4a2f-85b3-38a78a7cd664', 1, 33, '{}', '{}', '{"http": [{"name": "api", "fault": {"delay": {"fixedDelay": "10ms", "percentage": {"value": 1}}}, "match": [{"uri": {"prefix": "/api"}, "headers": {"x-user": {"exact": "ann"}}, "queryParams": {"q": {"exact": "1"}}}, {"uri": {"regex": "/r[0-9]+"}, "port": 9080, "method": {"exact": "GET"}}], "route": [{"weight": 30, "headers": {"request": {"set": {"x-a": "b"}, "remove": ["x-c"]}}, "destination": {"host": "details", "subset": "v1"}}, {"weight": 70, "destination": {"host": "ratings", "port": {"number": 9080}, "subset": "v2"}}], "headers": {"response": {"add": {"x-by": "sluice"}}}, "retries": {"retryOn": "5xx,503", "attempts": 2, "perTryTimeout": "500ms"}, "rewrite": {"uri": "/v1/api"}, "timeout": "3s"}, {"name": "old", "match": [{"uri": {"exact": "/old"}}], "redirect": {"uri": "/new", "redirectCode": 302}}, {"name": "gone", "match": [{"uri": {"exact": "/gone"}}], "directResponse": {"body": {"string": "gone"}, "status": 410}}, {"route": [{"destination": {"host": "details"}}], "mirror": {"host": "ratings", "subset": "v3"}, "mirrorPercentage": {"value": 12.5}}], "hosts": ["details"]}', '{}', '2026-11-29 23:45:25.753449+00', '2026-11-29 23:45:25.753449+00');
INSERT INTO public.object VALUES ('acme', 'Service', 'default', 'shop', '', 'details', '5429d78f-8faf-4fca-ac29-89f938e2630b', 1, 38, '{"team": "details"}', '{"note": "kept as it is: é中"}', '{"ports": [{"name": "http", "port": 9080, "protocol": "HTTP"}, {"name": "grpc", "port": 9090, "protocol": "GRPC"}, {"name": "raw", "port": 5432, "protocol": "TCP"}], "versions": [{"name": "v1", "labels": {"tier": "gold"}}, {"name": "v2"}, {"name": "v3"}]}', '{"stableVersion": "v1"}', '2026-11-29 23:45:25.720378+00', '2026-11-29 23:45:25.813421+00');
INSERT INTO public.object VALUES ('acme', 'Release', 'default', 'shop', '', 'reviews-v2', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 1, 24, '{}', '{}', '{"port": 9080, "canary": {"version": "v2"}, "stable": {"version": "v1"}, "service": "reviews", "strategy": {"type": "canary", "steps": [{"name": "insiders", "setMatch": {"any": [{"headers": {"x-canary": {"exact": "insider"}}}]}}, {"bakeTime": "4s", "setWeight": 500}, {"bakeTime": "4s", "setWeight": 2500}, {"bakeTime": "4s", "setWeight": 5000}, {"bakeTime": "4s", "setWeight": 10000}], "trafficRouting": {"scope": {"paths": [{"prefix": "/"}], "gateways": ["mesh"]}, "protocol": "http", "applyTimeout": "30s", "endpointGuard": {"minReady": 1, "capacityRatio": 0, "onCanaryUnavailable": "rollback"}}}, "retainStable": "3s", "failurePolicy": {"onFailed": "rollback", "rollback": {"mode": "immediate"}}, "supersedePolicy": "reject", "progressDeadline": "10m"}', '{"phase": "Succeeded", "ending": "Promoted", "reason": "PlanCompleted", "visits": 6, "attempt": 1, "message": "", "traffic": {"applied": {"ackedProxies": 4, "totalProxies": 4, "configRevision": 22}, "desired": {"canary": 10000, "stable": 0}, "changedAt": "2026-11-29T23:44:51.897049Z", "clustersRevision": 11}, "isForced": false, "blockedOn": [], "conditions": [{"type": "Progressing", "reason": "Succeeded", "status": "False", "lastTransitionTime": "2026-11-29T23:44:54.980718Z"}, {"type": "CanaryReady", "reason": "EnoughEndpoints", "status": "True", "lastTransitionTime": "2026-11-29T23:44:35.444104Z"}, {"type": "StableReady", "reason": "EnoughEndpoints", "status": "True", "lastTransitionTime": "2026-11-29T23:44:35.444104Z"}, {"type": "TrafficApplied", "reason": "Acknowledged", "status": "True", "lastTransitionTime": "2026-11-29T23:44:51.957392Z"}], "isPromoted": true, "currentStep": null, "transitions": 5, "allowedActions": [], "pauseConditions": [], "completionStatus": "Promoted", "lastTransitionTime": "2026-11-29T23:44:54.980718Z"}', '2026-11-29 23:44:35.432011+00', '2026-11-29 23:44:54.981457+00');
INSERT INTO public.object VALUES ('globex', 'Tenant', '', '', '', 'globex', 'ace49b7a-16f3-4fd8-a6fd-3096c4cf3a5d', 1, 1, '{}', '{}', '{"displayName": "Globex"}', '{}', '2026-11-29 23:45:25.66828+00', '2026-11-29 23:45:25.66828+00');
INSERT INTO public.object VALUES ('acme', 'Service', 'default', 'shop', '', 'ratings', '7eafdd6f-5e7d-4bcb-88af-ea7ea30521f3', 1, 36, '{"team": "ratings"}', '{"note": "kept as it is: é中"}', '{"ports": [{"name": "http", "port": 9080, "protocol": "HTTP"}, {"name": "grpc", "port": 9090, "protocol": "GRPC"}, {"name": "raw", "port": 5432, "protocol": "TCP"}], "versions": [{"name": "v1", "labels": {"tier": "gold"}}, {"name": "v2"}, {"name": "v3"}]}', '{"stableVersion": "v1"}', '2026-11-29 23:45:25.67809+00', '2026-11-29 23:45:25.792295+00');
INSERT INTO public.object VALUES ('globex', 'Cluster', '', '', '', 'edge', 'c1997f3d-fc1e-41fd-93c4-bad5adf4a57b', 1, 2, '{}', '{}', '{"kind": "universal"}', '{}', '2026-11-29 23:45:25.673332+00', '2026-11-29 23:45:25.673332+00');
INSERT INTO public.object VALUES ('acme', 'Endpoint', 'default', 'shop', 'ratings', 'e0', '2bc48527-b21d-4ebf-b04c-75961c4dbb21', 1, 26, '{}', '{}', '{"ports": {"http": 19000}, "health": "healthy", "weight": 2, "address": "127.0.0.1", "cluster": "dev", "version": "v1", "locality": "r1/z1/"}', '{}', '2026-11-29 23:45:25.681642+00', '2026-11-29 23:45:25.681642+00');
INSERT INTO public.object VALUES ('acme', 'Endpoint', 'default', 'shop', 'ratings', 'e1', '0b2c5571-372e-4b9c-b7ed-f1781ab6c16b', 1, 27, '{}', '{}', '{"ports": {"http": 19001}, "health": "healthy", "weight": 2, "address": "127.0.0.1", "cluster": "dev", "version": "v2", "locality": "r1/z1/"}', '{}', '2026-11-29 23:45:25.703894+00', '2026-11-29 23:45:25.703894+00');
INSERT INTO public.object VALUES ('acme', 'Endpoint', 'default', 'shop', 'ratings', 'e2', 'e7c489cb-b96a-41b5-8550-d5562a264152', 1, 28, '{}', '{}', '{"ports": {"http": 19002}, "health": "healthy", "weight": 2, "address": "127.0.0.1", "cluster": "dev", "version": "v3", "locality": "r1/z1/"}', '{}', '2026-11-29 23:45:25.712528+00', '2026-11-29 23:45:25.712528+00');
INSERT INTO public.object VALUES ('acme', 'DestinationRule', 'default', 'shop', '', 'details', 'cef53166-c56c-4dd6-b8fa-58dc58860aba', 1, 34, '{}', '{}', '{"host": "details", "subsets": [{"name": "v1", "labels": {"tier": "gold"}}, {"name": "v2", "trafficPolicy": {"loadBalancer": {"simple": "LEAST_REQUEST"}}}], "trafficPolicy": {"loadBalancer": {"consistentHash": {"ringHash": {"minimumRingSize": 1024}, "httpHeaderName": "x-user"}}, "connectionPool": {"tcp": {"connectTimeout": "1s", "maxConnections": 10}, "http": {"http1MaxPendingRequests": 5, "maxRequestsPerConnection": 3}}, "outlierDetection": {"interval": "5s", "baseEjectionTime": "30s", "maxEjectionPercent": 50, "consecutive5xxErrors": 3}}}', '{}', '2026-11-29 23:45:25.76451+00', '2026-11-29 23:45:25.76451+00');
INSERT INTO public.object VALUES ('acme', 'Release', 'default', 'shop', '', 'ratings-v2', '42569559-d12b-490b-8de8-379297cf25ce', 1, 46, '{}', '{}', '{"port": 9080, "canary": {"version": "v2"}, "stable": {"version": "v1"}, "service": "ratings", "strategy": {"type": "canary", "steps": [{"bakeTime": "1h", "setWeight": 500}, {"setWeight": 5000}], "trafficRouting": {"scope": {"paths": [{"prefix": "/"}], "gateways": ["mesh"]}, "protocol": "http", "applyTimeout": "30s", "endpointGuard": {"minReady": 1, "capacityRatio": 0, "onCanaryUnavailable": "rollback"}}}, "retainStable": "30s", "failurePolicy": {"onFailed": "rollback", "rollback": {"mode": "immediate"}}, "supersedePolicy": "reject", "progressDeadline": "10m"}', '{"phase": "Progressing", "reason": null, "visits": 1, "attempt": 1, "message": "", "traffic": {"applied": {"ackedProxies": 4, "totalProxies": 4, "configRevision": 43}, "desired": {"canary": 500, "stable": 9500}, "changedAt": "2026-11-29T23:45:25.882524Z", "clustersRevision": 35}, "isForced": false, "blockedOn": [], "conditions": [{"type": "Progressing", "reason": "Progressing", "status": "True", "lastTransitionTime": "2026-11-29T23:45:25.791179Z"}, {"type": "CanaryReady", "reason": "EnoughEndpoints", "status": "True", "lastTransitionTime": "2026-11-29T23:45:25.791179Z"}, {"type": "StableReady", "reason": "EnoughEndpoints", "status": "True", "lastTransitionTime": "2026-11-29T23:45:25.791179Z"}, {"type": "TrafficApplied", "reason": "Acknowledged", "status": "True", "lastTransitionTime": "2026-11-29T23:45:25.922634Z"}], "isPromoted": false, "currentStep": {"kind": "setWeight", "name": null, "index": 0, "state": "Baking", "visit": 1, "startedAt": "2026-11-29T23:45:25.791179Z", "deadlineAt": null, "activeSince": "2026-11-29T23:45:25.922634Z", "waitingSince": null, "elapsedActive": "PT0S"}, "transitions": 2, "allowedActions": ["pause", "promote", "rollback", "abort"], "pauseConditions": [], "completionStatus": null, "lastTransitionTime": "2026-11-29T23:45:25.791179Z"}', '2026-11-29 23:45:25.771112+00', '2026-11-29 23:45:25.923924+00');
INSERT INTO public.object VALUES ('acme', 'Release', 'default', 'shop', '', 'draft', 'ca6fd0c4-2116-4c99-815f-e0d65f0156a8', 1, 39, '{}', '{}', '{"port": 9080, "canary": {"version": "v2"}, "stable": {"version": "v1"}, "service": "details", "strategy": {"type": "canary", "steps": [{"setMatch": {"any": [{"headers": {"x-user": {"exact": "bob"}}}]}}, {"setWeight": 10000}], "trafficRouting": {"scope": {"paths": [{"prefix": "/"}], "gateways": ["mesh"]}, "protocol": "http", "applyTimeout": "30s", "endpointGuard": {"minReady": 1, "capacityRatio": 0, "onCanaryUnavailable": "rollback"}}}, "retainStable": "30s", "failurePolicy": {"onFailed": "rollback", "rollback": {"mode": "immediate"}}, "supersedePolicy": "reject", "progressDeadline": "10m"}', '{"phase": "Draft", "reason": null, "visits": 0, "attempt": 0, "message": "", "traffic": {"applied": {"ackedProxies": 0, "totalProxies": 0, "configRevision": null}, "desired": {"canary": 0, "stable": 10000}}, "isForced": false, "blockedOn": [], "conditions": [], "isPromoted": false, "currentStep": null, "transitions": 0, "allowedActions": ["start", "abort"], "pauseConditions": [], "completionStatus": null, "lastTransitionTime": null}', '2026-11-29 23:45:25.822843+00', '2026-11-29 23:45:25.822843+00');
INSERT INTO public.object VALUES ('acme', 'Release', 'default', 'shop', '', 'details-v2', 'dd99b1d9-ccd9-4bd8-a19e-be7e7116b9fb', 1, 45, '{}', '{}', '{"port": 9080, "canary": {"version": "v2"}, "stable": {"version": "v1"}, "service": "details", "strategy": {"type": "canary", "steps": [{"setWeight": 1000}, {"pause": {}}], "trafficRouting": {"scope": {"paths": [{"prefix": "/"}], "gateways": ["mesh"]}, "protocol": "http", "applyTimeout": "30s", "endpointGuard": {"minReady": 1, "capacityRatio": 0, "onCanaryUnavailable": "rollback"}}}, "retainStable": "30s", "failurePolicy": {"onFailed": "rollback", "rollback": {"mode": "immediate"}}, "supersedePolicy": "reject", "progressDeadline": "10m"}', '{"phase": "Paused", "reason": "PauseStep", "visits": 2, "attempt": 1, "message": "", "traffic": {"applied": {"ackedProxies": 4, "totalProxies": 4, "configRevision": 42}, "desired": {"canary": 1000, "stable": 9000}, "changedAt": "2026-11-29T23:45:25.882585Z", "clustersRevision": 37}, "isForced": false, "blockedOn": [{"kind": "Decision", "detail": "PauseStep"}], "conditions": [{"type": "Progressing", "reason": "Paused", "status": "False", "lastTransitionTime": "2026-11-29T23:45:25.922709Z"}, {"type": "CanaryReady", "reason": "EnoughEndpoints", "status": "True", "lastTransitionTime": "2026-11-29T23:45:25.813139Z"}, {"type": "StableReady", "reason": "EnoughEndpoints", "status": "True", "lastTransitionTime": "2026-11-29T23:45:25.813139Z"}, {"type": "TrafficApplied", "reason": "Acknowledged", "status": "True", "lastTransitionTime": "2026-11-29T23:45:25.922709Z"}], "isPromoted": false, "currentStep": {"kind": "pause", "name": null, "index": 1, "state": "Waiting", "visit": 2, "startedAt": "2026-11-29T23:45:25.922709Z", "deadlineAt": null, "activeSince": "2026-11-29T23:45:25.922709Z", "waitingSince": null, "elapsedActive": "PT0S"}, "transitions": 3, "allowedActions": ["pause", "resume", "promote", "rollback", "abort"], "pauseConditions": [{"reason": "PauseStep", "startTime": "2026-11-29T23:45:25.922709Z"}], "completionStatus": null, "lastTransitionTime": "2026-11-29T23:45:25.922709Z"}', '2026-11-29 23:45:25.803952+00', '2026-11-29 23:45:25.923206+00');
INSERT INTO public.operation VALUES ('acme', '8710fe58-3bab-45eb-b24d-9ff46ef6c483', 'mesh:enable', 'clusters/dev/mesh', true, '{"step": "Done", "verb": "mesh:enable", "target": "clusters/dev/mesh", "progressPercent": 100}', NULL, '{"phase": "Enabled", "revision": 2}', '2026-11-29 23:44:32.979245+00', '2026-11-29 23:44:32.979245+00');
INSERT INTO public.proxy VALUES ('acme', 'default', 'shop', 'reviews-v1-1', 'vm-3b187360', true, '2026-11-29 23:44:33.121885+00', 46, NULL, NULL, '{"CDS": {"state": "synced", "sentVersion": "5f6070a4dbe8fe4af0cf35144f913044", "ackedVersion": "5f6070a4dbe8fe4af0cf35144f913044"}, "EDS": {"state": "synced", "sentVersion": "8f569b46bf492da060b2e4dc5e28eb79", "ackedVersion": "8f569b46bf492da060b2e4dc5e28eb79"}, "LDS": {"state": "synced", "sentVersion": "68c7fe0e7125b5343c9f5a9fe7d2e10e", "ackedVersion": "68c7fe0e7125b5343c9f5a9fe7d2e10e"}, "RDS": {"state": "synced", "sentVersion": "0c7abf2424d37d0568f81bc58e5f1f48", "ackedVersion": "0c7abf2424d37d0568f81bc58e5f1f48"}}', '2026-11-29 23:45:25.958965+00', '{"kind": "envoy", "service": "reviews", "httpProxyPort": 18190}', 27);
INSERT INTO public.proxy VALUES ('acme', 'default', 'shop', 'reviews-v2-1', 'vm-3b187360', true, '2026-11-29 23:44:33.240121+00', 46, NULL, NULL, '{"CDS": {"state": "synced", "sentVersion": "aa0e1cf8d61c88eaefce972e584a5e7a", "ackedVersion": "aa0e1cf8d61c88eaefce972e584a5e7a"}, "EDS": {"state": "synced", "sentVersion": "8f569b46bf492da060b2e4dc5e28eb79", "ackedVersion": "8f569b46bf492da060b2e4dc5e28eb79"}, "LDS": {"state": "synced", "sentVersion": "85f69366c30fbc1028e919ecedab2aa1", "ackedVersion": "85f69366c30fbc1028e919ecedab2aa1"}, "RDS": {"state": "synced", "sentVersion": "0c7abf2424d37d0568f81bc58e5f1f48", "ackedVersion": "0c7abf2424d37d0568f81bc58e5f1f48"}}', '2026-11-29 23:45:25.958965+00', '{"kind": "envoy", "service": "reviews", "httpProxyPort": 18192}', 27);
INSERT INTO public.proxy VALUES ('acme', 'default', 'shop', 'reviews-v3-1', 'vm-3b187360', true, '2026-11-29 23:44:33.355637+00', 46, NULL, NULL, '{"CDS": {"state": "synced", "sentVersion": "0042f3a9d4a407462a1da8fd72d66ba6", "ackedVersion": "0042f3a9d4a407462a1da8fd72d66ba6"}, "EDS": {"state": "synced", "sentVersion": "8f569b46bf492da060b2e4dc5e28eb79", "ackedVersion": "8f569b46bf492da060b2e4dc5e28eb79"}, "LDS": {"state": "synced", "sentVersion": "2785e660b27d032d2f9aeca56bd5a7ad", "ackedVersion": "2785e660b27d032d2f9aeca56bd5a7ad"}, "RDS": {"state": "synced", "sentVersion": "0c7abf2424d37d0568f81bc58e5f1f48", "ackedVersion": "0c7abf2424d37d0568f81bc58e5f1f48"}}', '2026-11-29 23:45:25.958965+00', '{"kind": "envoy", "service": "reviews", "httpProxyPort": 18194}', 27);
INSERT INTO public.proxy VALUES ('acme', 'default', 'shop', 'productpage-1', 'vm-3b187360', true, '2026-11-29 23:44:33.452319+00', 46, NULL, NULL, '{"CDS": {"state": "synced", "sentVersion": "177410261643c0586a7c0f70f6794e89", "ackedVersion": "177410261643c0586a7c0f70f6794e89"}, "EDS": {"state": "synced", "sentVersion": "8f569b46bf492da060b2e4dc5e28eb79", "ackedVersion": "8f569b46bf492da060b2e4dc5e28eb79"}, "LDS": {"state": "synced", "sentVersion": "d50347300ad39616471e8be9e0eca55c", "ackedVersion": "d50347300ad39616471e8be9e0eca55c"}, "RDS": {"state": "synced", "sentVersion": "0c7abf2424d37d0568f81bc58e5f1f48", "ackedVersion": "0c7abf2424d37d0568f81bc58e5f1f48"}}', '2026-11-29 23:45:25.958965+00', '{"kind": "envoy", "service": "productpage", "httpProxyPort": 18196}', 27);
INSERT INTO public.proxy_feed VALUES ('acme', 'default', 27, 0);
INSERT INTO public.release VALUES ('acme', 'default', 'shop', 'draft', 'details', 9080, false, 1, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.release VALUES ('acme', 'default', 'shop', 'ratings-v2', 'ratings', 9080, true, 13, NULL, 7, NULL, '2026-11-29 23:45:46.0553+00', '2026-11-29 23:45:41.056034+00');
INSERT INTO public.release VALUES ('acme', 'default', 'shop', 'details-v2', 'details', 9080, true, 15, NULL, 8, NULL, '2026-11-29 23:45:46.05528+00', '2026-11-29 23:45:41.056064+00');
INSERT INTO public.release VALUES ('acme', 'default', 'shop', 'reviews-v2', 'reviews', 9080, false, 32, NULL, 17, NULL, NULL, '2026-11-29 23:44:54.981457+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (1, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/t1/Started', 'Started', 'platformAdministrator', '{"phase": "Pending", "canary": 0}', '2026-11-29 23:44:35.444104+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (2, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s0/v1/StepStarted', 'StepStarted', 'platformAdministrator', '{"step": 0, "phase": "Pending", "canary": 0, "stepState": "Pending"}', '2026-11-29 23:44:35.444104+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (3, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/t2/Progressing', 'Progressing', 'platformAdministrator', '{"step": 0, "phase": "Progressing", "canary": 0, "stepState": "Pending"}', '2026-11-29 23:44:35.444104+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (4, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s0/v1/StepApplying', 'StepApplying', 'release-engine', '{"step": 0, "phase": "Progressing", "canary": 0, "stepState": "Applying"}', '2026-11-29 23:44:35.480795+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (5, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s0/v1/StepVerifying', 'StepVerifying', 'release-engine', '{"step": 0, "phase": "Progressing", "canary": 0, "stepState": "Verifying"}', '2026-11-29 23:44:35.547057+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (6, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s0/v1/StepCompleted', 'StepCompleted', 'release-engine', '{"step": 0, "phase": "Progressing", "canary": 0, "stepState": "Completed"}', '2026-11-29 23:44:35.547057+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (7, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s1/v2/StepStarted', 'StepStarted', 'release-engine', '{"step": 1, "phase": "Progressing", "canary": 0, "stepState": "Pending"}', '2026-11-29 23:44:35.547057+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (8, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s1/v2/StepApplying', 'StepApplying', 'release-engine', '{"step": 1, "phase": "Progressing", "canary": 500, "stepState": "Applying"}', '2026-11-29 23:44:35.547057+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (9, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s1/v2/StepVerifying', 'StepVerifying', 'release-engine', '{"step": 1, "phase": "Progressing", "canary": 500, "stepState": "Verifying"}', '2026-11-29 23:44:35.611725+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (10, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s1/v2/StepBaking', 'StepBaking', 'release-engine', '{"step": 1, "phase": "Progressing", "canary": 500, "stepState": "Baking"}', '2026-11-29 23:44:35.611725+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (11, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s1/v2/StepCompleted', 'StepCompleted', 'release-engine', '{"step": 1, "phase": "Progressing", "canary": 500, "stepState": "Completed"}', '2026-11-29 23:44:39.634504+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (12, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s2/v3/StepStarted', 'StepStarted', 'release-engine', '{"step": 2, "phase": "Progressing", "canary": 500, "stepState": "Pending"}', '2026-11-29 23:44:39.634504+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (13, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s2/v3/StepApplying', 'StepApplying', 'release-engine', '{"step": 2, "phase": "Progressing", "canary": 2500, "stepState": "Applying"}', '2026-11-29 23:44:39.634504+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (14, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s2/v3/StepVerifying', 'StepVerifying', 'release-engine', '{"step": 2, "phase": "Progressing", "canary": 2500, "stepState": "Verifying"}', '2026-11-29 23:44:39.697682+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (15, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s2/v3/StepBaking', 'StepBaking', 'release-engine', '{"step": 2, "phase": "Progressing", "canary": 2500, "stepState": "Baking"}', '2026-11-29 23:44:39.697682+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (16, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s2/v3/StepCompleted', 'StepCompleted', 'release-engine', '{"step": 2, "phase": "Progressing", "canary": 2500, "stepState": "Completed"}', '2026-11-29 23:44:43.720258+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (17, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s3/v4/StepStarted', 'StepStarted', 'release-engine', '{"step": 3, "phase": "Progressing", "canary": 2500, "stepState": "Pending"}', '2026-11-29 23:44:43.720258+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (18, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s3/v4/StepApplying', 'StepApplying', 'release-engine', '{"step": 3, "phase": "Progressing", "canary": 5000, "stepState": "Applying"}', '2026-11-29 23:44:43.720258+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (19, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s3/v4/StepVerifying', 'StepVerifying', 'release-engine', '{"step": 3, "phase": "Progressing", "canary": 5000, "stepState": "Verifying"}', '2026-11-29 23:44:43.78747+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (20, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s3/v4/StepBaking', 'StepBaking', 'release-engine', '{"step": 3, "phase": "Progressing", "canary": 5000, "stepState": "Baking"}', '2026-11-29 23:44:43.78747+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (21, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s3/v4/StepCompleted', 'StepCompleted', 'release-engine', '{"step": 3, "phase": "Progressing", "canary": 5000, "stepState": "Completed"}', '2026-11-29 23:44:47.81052+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (22, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s4/v5/StepStarted', 'StepStarted', 'release-engine', '{"step": 4, "phase": "Progressing", "canary": 5000, "stepState": "Pending"}', '2026-11-29 23:44:47.81052+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (23, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s4/v5/StepApplying', 'StepApplying', 'release-engine', '{"step": 4, "phase": "Progressing", "canary": 10000, "stepState": "Applying"}', '2026-11-29 23:44:47.81052+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (24, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s4/v5/StepVerifying', 'StepVerifying', 'release-engine', '{"step": 4, "phase": "Progressing", "canary": 10000, "stepState": "Verifying"}', '2026-11-29 23:44:47.874129+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (25, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s4/v5/StepBaking', 'StepBaking', 'release-engine', '{"step": 4, "phase": "Progressing", "canary": 10000, "stepState": "Baking"}', '2026-11-29 23:44:47.874129+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (26, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s4/v5/StepCompleted', 'StepCompleted', 'release-engine', '{"step": 4, "phase": "Progressing", "canary": 10000, "stepState": "Completed"}', '2026-11-29 23:44:51.897049+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (27, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/t3/PromotionStarted', 'PromotionStarted', 'release-engine', '{"step": 4, "phase": "Promoting", "canary": 10000, "reason": "PlanCompleted", "stepState": "Completed"}', '2026-11-29 23:44:51.897049+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (28, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s5/v6/StepStarted', 'StepStarted', 'release-engine', '{"step": 5, "phase": "Promoting", "canary": 10000, "stepState": "Pending"}', '2026-11-29 23:44:51.897049+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (29, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s5/v6/StepApplying', 'StepApplying', 'release-engine', '{"step": 5, "phase": "Promoting", "canary": 10000, "stepState": "Applying"}', '2026-11-29 23:44:51.897049+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (30, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s5/v6/StepVerifying', 'StepVerifying', 'release-engine', '{"step": 5, "phase": "Promoting", "canary": 10000, "stepState": "Verifying"}', '2026-11-29 23:44:51.957392+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (31, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/s5/v6/StepCompleted', 'StepCompleted', 'release-engine', '{"step": 5, "phase": "Promoting", "canary": 10000, "stepState": "Completed"}', '2026-11-29 23:44:51.957392+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (32, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/t4/Promoted', 'Promoted', 'release-engine', '{"step": 5, "phase": "Finalizing", "canary": 10000, "stepState": "Completed"}', '2026-11-29 23:44:51.957392+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (33, 'acme', 'c10adec3-b2fe-4d31-959e-3b284bdbeb8a', 'a1/t5/Succeeded', 'Succeeded', 'release-engine', '{"phase": "Succeeded", "canary": 10000, "reason": "PlanCompleted"}', '2026-11-29 23:44:54.980718+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (34, 'acme', '42569559-d12b-490b-8de8-379297cf25ce', 'a1/t1/Started', 'Started', 'platformAdministrator', '{"phase": "Pending", "canary": 0}', '2026-11-29 23:45:25.791179+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (35, 'acme', '42569559-d12b-490b-8de8-379297cf25ce', 'a1/s0/v1/StepStarted', 'StepStarted', 'platformAdministrator', '{"step": 0, "phase": "Pending", "canary": 0, "stepState": "Pending"}', '2026-11-29 23:45:25.791179+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (36, 'acme', '42569559-d12b-490b-8de8-379297cf25ce', 'a1/t2/Progressing', 'Progressing', 'platformAdministrator', '{"step": 0, "phase": "Progressing", "canary": 0, "stepState": "Pending"}', '2026-11-29 23:45:25.791179+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (37, 'acme', 'dd99b1d9-ccd9-4bd8-a19e-be7e7116b9fb', 'a1/t1/Started', 'Started', 'platformAdministrator', '{"phase": "Pending", "canary": 0}', '2026-11-29 23:45:25.813139+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (38, 'acme', 'dd99b1d9-ccd9-4bd8-a19e-be7e7116b9fb', 'a1/s0/v1/StepStarted', 'StepStarted', 'platformAdministrator', '{"step": 0, "phase": "Pending", "canary": 0, "stepState": "Pending"}', '2026-11-29 23:45:25.813139+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (39, 'acme', 'dd99b1d9-ccd9-4bd8-a19e-be7e7116b9fb', 'a1/t2/Progressing', 'Progressing', 'platformAdministrator', '{"step": 0, "phase": "Progressing", "canary": 0, "stepState": "Pending"}', '2026-11-29 23:45:25.813139+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (40, 'acme', 'dd99b1d9-ccd9-4bd8-a19e-be7e7116b9fb', 'a1/s0/v1/StepApplying', 'StepApplying', 'release-engine', '{"step": 0, "phase": "Progressing", "canary": 1000, "stepState": "Applying"}', '2026-11-29 23:45:25.882585+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (41, 'acme', '42569559-d12b-490b-8de8-379297cf25ce', 'a1/s0/v1/StepApplying', 'StepApplying', 'release-engine', '{"step": 0, "phase": "Progressing", "canary": 500, "stepState": "Applying"}', '2026-11-29 23:45:25.882524+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (42, 'acme', 'dd99b1d9-ccd9-4bd8-a19e-be7e7116b9fb', 'a1/s0/v1/StepVerifying', 'StepVerifying', 'release-engine', '{"step": 0, "phase": "Progressing", "canary": 1000, "stepState": "Verifying"}', '2026-11-29 23:45:25.895789+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (43, 'acme', 'dd99b1d9-ccd9-4bd8-a19e-be7e7116b9fb', 'a1/s0/v1/StepCompleted', 'StepCompleted', 'release-engine', '{"step": 0, "phase": "Progressing", "canary": 1000, "stepState": "Completed"}', '2026-11-29 23:45:25.922709+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (44, 'acme', 'dd99b1d9-ccd9-4bd8-a19e-be7e7116b9fb', 'a1/s1/v2/StepStarted', 'StepStarted', 'release-engine', '{"step": 1, "phase": "Progressing", "canary": 1000, "stepState": "Pending"}', '2026-11-29 23:45:25.922709+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (45, 'acme', 'dd99b1d9-ccd9-4bd8-a19e-be7e7116b9fb', 'a1/s1/v2/StepWaiting', 'StepWaiting', 'release-engine', '{"step": 1, "phase": "Progressing", "canary": 1000, "stepState": "Waiting"}', '2026-11-29 23:45:25.922709+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (46, 'acme', 'dd99b1d9-ccd9-4bd8-a19e-be7e7116b9fb', 'a1/t3/Paused', 'Paused', 'release-engine', '{"step": 1, "phase": "Paused", "canary": 1000, "reason": "PauseStep", "stepState": "Waiting"}', '2026-11-29 23:45:25.922709+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (47, 'acme', '42569559-d12b-490b-8de8-379297cf25ce', 'a1/s0/v1/StepVerifying', 'StepVerifying', 'release-engine', '{"step": 0, "phase": "Progressing", "canary": 500, "stepState": "Verifying"}', '2026-11-29 23:45:25.922634+00');
INSERT INTO public.release_event OVERRIDING SYSTEM VALUE VALUES (48, 'acme', '42569559-d12b-490b-8de8-379297cf25ce', 'a1/s0/v1/StepBaking', 'StepBaking', 'release-engine', '{"step": 0, "phase": "Progressing", "canary": 500, "stepState": "Baking"}', '2026-11-29 23:45:25.922634+00');
INSERT INTO public.replica VALUES ('vm-3b187360', '2026-11-29 23:45:43.003256+00', false);
INSERT INTO public.schema_migration VALUES ('0001_objects', '1cd009ac07ce74c5a91e1ee4b53974632a01bc3b98d2193952da6d6483a79647', '2026-11-29 23:44:32.862488+00');
INSERT INTO public.schema_migration VALUES ('0002_releases', '71a0131cfd3c9eb314e415cf585c4d4053c24543932c7f5a69778dbf35669c57', '2026-11-29 23:44:32.889088+00');
INSERT INTO public.schema_migration VALUES ('0003_proxies', '9de94ef0b5d7ba82e91064c74b00075434de3b8f6786ac0b6851605fd7a520af', '2026-11-29 23:44:32.897256+00');
INSERT INTO public.schema_migration VALUES ('0004_proxy_rejections', 'fff7228b6053061e6df57c7cc03c81b2c22002b2f69ec7aeb08471f2c966b2a9', '2026-11-29 23:44:32.90458+00');
INSERT INTO public.schema_migration VALUES ('0005_proxy_feed', '19925526e9eb2121371be3805f37f696bd7eaacc63f8bc8a07d1351a7f24db22', '2026-11-29 23:44:32.906148+00');
INSERT INTO public.schema_migration VALUES ('0006_proxy_updates', '490f257d35b8fd7754c1f09620e6c63cf587853c3adf543c0c4636e1e3fdce89', '2026-11-29 23:44:32.913468+00');
SELECT pg_catalog.setval('public.audit_event_sequence_seq', 52, true);
SELECT pg_catalog.setval('public.release_event_sequence_seq', 48, true);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (tenant, id);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_secret_hash_key UNIQUE (secret_hash);
ALTER TABLE ONLY public.audit_event
    ADD CONSTRAINT audit_event_pkey PRIMARY KEY (tenant, sequence);
ALTER TABLE ONLY public.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (tenant, mesh, revision, kind, namespace, service, name);
ALTER TABLE ONLY public.forgotten_proxy
    ADD CONSTRAINT forgotten_proxy_pkey PRIMARY KEY (tenant, mesh, revision, namespace, name);
ALTER TABLE ONLY public.idempotent_call
    ADD CONSTRAINT idempotent_call_pkey PRIMARY KEY (tenant, scope, key);
ALTER TABLE ONLY public.mesh
    ADD CONSTRAINT mesh_pkey PRIMARY KEY (tenant, mesh);
ALTER TABLE ONLY public.object
    ADD CONSTRAINT object_pkey PRIMARY KEY (tenant, kind, mesh, namespace, service, name);
ALTER TABLE ONLY public.operation
    ADD CONSTRAINT operation_pkey PRIMARY KEY (tenant, id);
ALTER TABLE ONLY public.proxy_feed
    ADD CONSTRAINT proxy_feed_pkey PRIMARY KEY (tenant, mesh);
ALTER TABLE ONLY public.proxy
    ADD CONSTRAINT proxy_pkey PRIMARY KEY (tenant, mesh, namespace, name);
ALTER TABLE ONLY public.release_event
    ADD CONSTRAINT release_event_pkey PRIMARY KEY (tenant, release, sequence);
ALTER TABLE ONLY public.release_event
    ADD CONSTRAINT release_event_tenant_release_dedupe_key_key UNIQUE (tenant, release, dedupe_key);
ALTER TABLE ONLY public.release
    ADD CONSTRAINT release_pkey PRIMARY KEY (tenant, mesh, namespace, name);
ALTER TABLE ONLY public.replica
    ADD CONSTRAINT replica_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.signing_key
    ADD CONSTRAINT signing_key_pkey PRIMARY KEY (id);
CREATE INDEX idempotent_call_age ON public.idempotent_call USING btree (at);
CREATE INDEX object_labels ON public.object USING gin (labels jsonb_path_ops);
CREATE INDEX object_of_mesh ON public.object USING btree (tenant, mesh);
CREATE INDEX proxy_of_replica ON public.proxy USING btree (replica);
CREATE INDEX proxy_rejecting ON public.proxy USING btree (tenant, mesh) WHERE (rejected_revision IS NOT NULL);
CREATE INDEX release_due ON public.release USING btree (next_wakeup_at) WHERE (next_wakeup_at IS NOT NULL);
CREATE UNIQUE INDEX release_one_active ON public.release USING btree (tenant, mesh, namespace, service, port) WHERE active;
ALTER TABLE ONLY public.change
    ADD CONSTRAINT change_tenant_mesh_fkey FOREIGN KEY (tenant, mesh) REFERENCES public.mesh(tenant, mesh) ON DELETE CASCADE;
ALTER TABLE public.api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.change ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.forgotten_proxy ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.idempotent_call ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.mesh ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.object ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.operation ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.proxy ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.proxy_feed ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.release ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.release_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.api_key USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.audit_event USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.change USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.forgotten_proxy USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.idempotent_call USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.mesh USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.object USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.operation USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.proxy USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.proxy_feed USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.release USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
CREATE POLICY tenant ON public.release_event USING (public.visible_tenant((tenant)::text)) WITH CHECK (public.visible_tenant((tenant)::text));
