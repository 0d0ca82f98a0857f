-- The database, the user and the role for publishing into MariaDB (or MySQL 8). To be run once by an
-- administrator:
--
--     mariadb <mariadb.sql
--     mariadb -e "ALTER USER vesper_publisher IDENTIFIED BY '...' ACCOUNT UNLOCK"
--
-- vesper_publisher is who publishes: it has rights in this database and in no other.
-- vesper_reader is what pages and people get: it reads, now and after every switch.

CREATE DATABASE vesper CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE USER vesper_publisher WITH MAX_USER_CONNECTIONS 4 ACCOUNT LOCK;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP ON vesper.* TO vesper_publisher;

CREATE ROLE vesper_reader;
GRANT SELECT ON vesper.* TO vesper_reader;

-- Then, for each user of the storefront:
--     GRANT vesper_reader TO shop_pages;
--     SET DEFAULT ROLE vesper_reader FOR shop_pages;     (MySQL: SET DEFAULT ROLE vesper_reader TO shop_pages)
