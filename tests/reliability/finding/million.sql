-- A directory of a million people, the same on every run: skewed as directories are, with things that are common, things
-- that a few have, and things that only the newest have (whose ids a walk from the beginning meets last).
SELECT setseed(0.25);
-- Foreign keys would be looked up one by one, and every index be kept in order row by row.
SET session_replication_role = replica;
ALTER TABLE users DROP CONSTRAINT users_username_key, DROP CONSTRAINT users_email_key, DROP CONSTRAINT users_phone_key;

CREATE FUNCTION pg_temp.plain(text text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT translate(lower(text), 'öéøü', 'oeou') $$;
CREATE FUNCTION pg_temp.beginnings(text text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT coalesce(regexp_replace(text, '([a-z0-9])([a-z0-9]?)[a-z0-9]*[^a-z0-9]*', E'\x01\\1\\2', 'g'), '') $$;

CREATE TEMPORARY TABLE words AS SELECT
    '{Ada,Bob,Carol,Dan,Eve,Frank,Grace,Heidi,Ivan,Judy,Karl,Linda,Mallory,Nina,Olivia,Peggy,Quentin,Rupert,Sybil,Trent,
      Ursula,Victor,Wendy,Xaver,Yvonne,Zoe,Jörg,Élodie,Søren,Ömer}'::text[] AS given,
    '{Berg,Stein,Wald,Feld,Hof,Bach,Tal,Brück,Kirch,Mühl,Schön,Schwarz,Weiss,Roth,Grün,Gold,Silber,Eisen}'::text[] AS stems,
    '{mann,er,inger,l,haus,hoff,meyer,son,sen,ström,quist,ski,owa,ini,ette,ard,wright,ley,ton,ham}'::text[] AS endings;

INSERT INTO users (
    id, username, username_folded, email, email_folded, phone, name, name_folded, profile, given_name_folded,
    family_name_folded, sort_keys, search, custom_data, suspended, password_hash, created_via, created_at, updated_at, last_sign_in_at
)
SELECT
    id, username, username, email, email, phone, name, lower(name),
    CASE WHEN named THEN jsonb_build_object('given_name', given, 'family_name', family, 'locale', locale) ELSE '{}' END,
    CASE WHEN named THEN lower(given) END,
    CASE WHEN named THEN lower(family) END,
    -- Keys of their own making: only that they are in some order matters here. Words begin where a person's do.
    ARRAY[
        convert_to(username, 'UTF8'), convert_to(lower(name), 'UTF8'),
        CASE WHEN named THEN convert_to(lower(given), 'UTF8') END,
        CASE WHEN named THEN convert_to(lower(family), 'UTF8') END
    ],
    E'1\n' || coalesce(username, '') || E'\n' || coalesce(email, '') || E'\n' || coalesce(phone, '') || E'\n'
        || coalesce(pg_temp.plain(name), '') || E'\n' || CASE WHEN named THEN pg_temp.plain(given) ELSE '' END || E'\n'
        || CASE WHEN named THEN pg_temp.plain(family) ELSE '' END || E'\n'
        || pg_temp.beginnings(username) || E'\n' || pg_temp.beginnings(email) || E'\n' || pg_temp.beginnings(phone) || E'\n'
        || pg_temp.beginnings(pg_temp.plain(name)) || E'\n' || CASE WHEN named THEN pg_temp.beginnings(pg_temp.plain(given)) ELSE '' END || E'\n'
        || CASE WHEN named THEN pg_temp.beginnings(pg_temp.plain(family)) ELSE '' END || E'\n',
    jsonb_build_object(
        'plan', CASE WHEN dice < 0.8 THEN 'free' WHEN dice < 0.995 THEN 'pro' ELSE 'enterprise' END,
        'seats', n % 1000,
        'billing', jsonb_build_object('country', CASE WHEN n % 7 = 0 THEN 'SE' ELSE 'DE' END, 'number', 'F-' || n),
        'tags', jsonb_build_array('t' || n % 40, 'u' || n % 5000)
    ) || CASE WHEN n > 999995 THEN '{"beta": true, "rare": ["one", "two"]}' ELSE '{}' END::jsonb,
    dice > 0.995,
    CASE WHEN n % 5 > 0 THEN '$argon2id$' END,
    CASE WHEN n > 999997 THEN 'bootstrap' WHEN n % 10 = 0 THEN 'admin' ELSE 'registration' END,
    made, made + dice * interval '90 days',
    CASE WHEN n % 3 > 0 THEN made + dice * interval '60 days' END
FROM (
    SELECT
        n, dice, made, given, family, locale, n % 4 > 0 AS named,
        (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') || '7' || substr(hash, 1, 3) || '8'
            || substr(hash, 4, 15))::uuid AS id,
        CASE WHEN n % 10 > 0 THEN lower(given) || '.' || lower(family) || n END AS username,
        CASE WHEN n % 7 > 0 OR n % 10 = 0 THEN
            substr(hash, 1, 2) || lower(given) || n || '@'
            || CASE WHEN n > 999995 THEN 'rare.example' WHEN dice < 0.7 THEN 'mail.example' ELSE 'c' || n % 300 || '.example' END
        END AS email,
        CASE WHEN n % 3 = 0 THEN '+49' || 1700000000 + n END AS phone,
        CASE WHEN n % 4 < 3 THEN given || ' ' || family END AS name
    FROM (
        SELECT
            n, random() AS dice, md5(n::text) AS hash, timestamptz '2024-01-01 00:00Z' + n * interval '1 minute' AS made,
            CASE WHEN n = 999999 THEN 'Zuleika' ELSE given[1 + floor(power(random(), 2) * 30)::int] END AS given,
            stems[1 + floor(power(random(), 2) * 18)::int] || endings[1 + floor(random() * 20)::int] AS family,
            (ARRAY['en', 'en', 'en', 'de', 'sv'])[1 + n % 5] AS locale
        FROM words, generate_series(1, 1000000) AS n
    ) AS made
) AS people;

ALTER TABLE users
    ADD CONSTRAINT users_username_key UNIQUE (username_folded),
    ADD CONSTRAINT users_email_key UNIQUE (email_folded),
    ADD CONSTRAINT users_phone_key UNIQUE (phone);

-- From the newest to the oldest.
CREATE TEMPORARY TABLE numbered AS SELECT id, row_number() OVER (ORDER BY id DESC) AS n FROM users;

INSERT INTO roles (id, scope, name, created_at, updated_at)
SELECT gen_random_uuid(), 'global', name, now(), now() FROM unnest(ARRAY['basic', 'support', 'rare']) AS name;
INSERT INTO user_roles (user_id, role_id, granted_at)
SELECT numbered.id, roles.id, now() FROM numbered JOIN roles ON CASE roles.name
    WHEN 'basic' THEN n % 3 = 0
    WHEN 'support' THEN n % 500 = 0
    WHEN 'rare' THEN n <= 10
END;

INSERT INTO groups (id, slug, name, name_folded, created_at, updated_at)
SELECT gen_random_uuid(), slug, slug, slug, now(), now()
FROM (SELECT 'team-' || n AS slug FROM generate_series(1, 2000) AS n UNION ALL SELECT unnest(ARRAY['qa', 'tiny'])) AS slugs;
INSERT INTO group_members (group_id, user_id, joined_at)
SELECT groups.id, numbered.id, now() FROM numbered CROSS JOIN groups WHERE groups.is_default
ON CONFLICT DO NOTHING;
INSERT INTO group_members (group_id, user_id, joined_at)
SELECT groups.id, numbered.id, now()
FROM numbered JOIN groups ON groups.slug = 'team-' || 1 + n / 10 % 2000 WHERE n % 10 = 0;
INSERT INTO group_members (group_id, user_id, joined_at)
SELECT groups.id, numbered.id, now() FROM numbered JOIN groups ON groups.slug = 'qa' WHERE n % 200 = 0;
INSERT INTO group_members (group_id, user_id, joined_at)
SELECT groups.id, numbered.id, now() FROM numbered JOIN groups ON groups.slug = 'tiny' WHERE n <= 10;
INSERT INTO group_member_roles (group_id, user_id, role_id)
SELECT group_id, user_id, roles.id
FROM group_members JOIN groups ON groups.id = group_id JOIN roles ON roles.name = CASE
    WHEN get_byte(uuid_send(user_id), 15) = 0 THEN 'owner' ELSE 'member'
END WHERE NOT groups.is_default;
INSERT INTO group_member_roles (group_id, user_id, role_id)
SELECT group_id, user_id, roles.id
FROM group_members JOIN groups ON groups.id = group_id JOIN roles ON roles.name = 'maintainer' WHERE groups.slug = 'tiny';
