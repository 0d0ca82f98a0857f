-- Roles and the schema for publishing into PostgreSQL. To be run once by a superuser, in the
-- storefront's database:
--
--     psql -d shop -f postgresql.sql
--     psql -d shop -c '\password vesper_publisher'
--
-- vesper_publisher is who publishes: it owns the schema and has no right to anything else.
-- vesper_reader is what pages and people are members of: it reads, now and after every switch.

CREATE ROLE vesper_publisher LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 4;
CREATE ROLE vesper_reader NOLOGIN;

CREATE SCHEMA vesper AUTHORIZATION vesper_publisher;
GRANT USAGE ON SCHEMA vesper TO vesper_reader;

-- Each night's tables are new ones: this gives the rights to them as they are made.
ALTER DEFAULT PRIVILEGES FOR ROLE vesper_publisher IN SCHEMA vesper
    GRANT SELECT ON TABLES TO vesper_reader;

-- Then, for each login role of the storefront:
--     GRANT vesper_reader TO shop_pages;
