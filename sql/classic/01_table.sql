-- The table that classic Snowpipe loads inverter objects into.
--
-- Safe to run twice, and safe on a table that the original project created. Run sql/streaming/01_database.sql first
-- (it makes the database and schema).

USE SCHEMA DEMO.DEMO;

-- One row per reading. The times are kept in UTC, whatever the session's time zone is.
CREATE TABLE IF NOT EXISTS INVERTER_DATA_RAW (
    FILE_NAME           VARCHAR        COMMENT 'key of the object in the bucket',
    JSON_BODY           VARIANT        COMMENT 'the reading as it was sent',
    FILE_CONTENT_KEY    VARCHAR        COMMENT 'checksum of the object (METADATA$FILE_CONTENT_KEY)',
    FILE_LAST_MODIFIED  TIMESTAMP_NTZ  COMMENT 'when the object was uploaded, UTC',
    START_SCAN_TIME     TIMESTAMP_NTZ  COMMENT 'when Snowpipe began to read it, UTC'
)
COMMENT = 'Solar inverter readings as loaded from S3, one row per reading';
