-- The table that classic Snowpipe loads inverter objects into, and a typed view of it.
--
-- Safe to run twice, and safe on a table that the original project created. Run sql/streaming/01_database.sql first
-- (it makes the database and schema).

USE SCHEMA DEMO.DEMO;

-- One row per reading. The times are kept in UTC, whatever the session's time zone is.
CREATE TABLE IF NOT EXISTS INVERTER_DATA_RAW (
    FILE_NAME           VARCHAR        COMMENT 'key of the object, without the stage''s own prefix',
    JSON_BODY           VARIANT        COMMENT 'the reading as it was sent',
    FILE_CONTENT_KEY    VARCHAR        COMMENT 'checksum of the object (METADATA$FILE_CONTENT_KEY)',
    FILE_LAST_MODIFIED  TIMESTAMP_NTZ  COMMENT 'when the object was uploaded, UTC',
    START_SCAN_TIME     TIMESTAMP_NTZ  COMMENT 'when Snowpipe began to read it, UTC'
)
COMMENT = 'Solar inverter readings as loaded from S3, one row per reading';

-- Columns with types. A value that is not of its column's type is NULL there (TRY_), so that one odd row never breaks a query;
-- JSON_BODY keeps it. A reading is uploaded once, but objects can be copied by hand and pipes can be recreated, so the
-- view keeps one row per (DEVICE_ID, BOOT_ID, SEQUENCE); readings that carry no such identity are all kept.
CREATE OR REPLACE VIEW INVERTER_DATA
    COMMENT = 'Solar inverter readings, typed, without repeats'
AS
SELECT
    JSON_BODY:id::VARCHAR                                            AS INVERTER_ID,
    TRY_TO_DOUBLE(JSON_BODY:PAC::VARCHAR)                            AS PAC_W,
    TRY_TO_DOUBLE(JSON_BODY:energy_output::VARCHAR)                  AS ENERGY_OUTPUT_KWH,
    TRY_TO_DOUBLE(JSON_BODY:energy_conversion_efficiency::VARCHAR)   AS ENERGY_CONVERSION_EFFICIENCY_PERCENT,
    TRY_TO_DOUBLE(JSON_BODY:performance_ratio::VARCHAR)              AS PERFORMANCE_RATIO,
    TRY_TO_DOUBLE(JSON_BODY:system_uptime::VARCHAR)                  AS SYSTEM_UPTIME_PERCENT,
    TRY_TO_DOUBLE(JSON_BODY:temperature::VARCHAR)                    AS TEMPERATURE_C,
    TRY_TO_DOUBLE(JSON_BODY:input_voltage::VARCHAR)                  AS INPUT_VOLTAGE_V,
    TRY_TO_DOUBLE(JSON_BODY:output_voltage::VARCHAR)                 AS OUTPUT_VOLTAGE_V,
    TRY_TO_DOUBLE(JSON_BODY:frequency::VARCHAR)                      AS FREQUENCY_HZ,
    JSON_BODY:fault_status::VARCHAR                                  AS FAULT_STATUS,
    JSON_BODY:device_id::VARCHAR                                     AS DEVICE_ID,
    JSON_BODY:boot_id::VARCHAR                                       AS BOOT_ID,
    TRY_TO_NUMBER(JSON_BODY:sequence::VARCHAR, 38, 0)                AS SEQUENCE,
    CONVERT_TIMEZONE('UTC', TRY_TO_TIMESTAMP_TZ(JSON_BODY:observed_at::VARCHAR))::TIMESTAMP_NTZ AS OBSERVED_AT,
    FILE_NAME,
    FILE_LAST_MODIFIED,
    START_SCAN_TIME
FROM INVERTER_DATA_RAW
QUALIFY JSON_BODY:boot_id IS NULL
     OR IS_NULL_VALUE(JSON_BODY:boot_id)
     OR ROW_NUMBER() OVER (
            PARTITION BY JSON_BODY:device_id::VARCHAR, JSON_BODY:boot_id::VARCHAR, JSON_BODY:sequence::VARCHAR
            ORDER BY START_SCAN_TIME) = 1;
