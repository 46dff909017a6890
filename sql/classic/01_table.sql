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

-- Columns with types. A reading is uploaded once, but objects can be copied by hand and pipes can be recreated, so the
-- view keeps one row per (DEVICE_ID, BOOT_ID, SEQUENCE); readings that carry no such identity are all kept.
CREATE OR REPLACE VIEW INVERTER_DATA
    COMMENT = 'Solar inverter readings, typed, without repeats'
AS
SELECT
    JSON_BODY:id::VARCHAR                            AS INVERTER_ID,
    JSON_BODY:PAC::DOUBLE                            AS PAC_W,
    JSON_BODY:energy_output::DOUBLE                  AS ENERGY_OUTPUT_KWH,
    JSON_BODY:energy_conversion_efficiency::DOUBLE   AS ENERGY_CONVERSION_EFFICIENCY_PERCENT,
    JSON_BODY:performance_ratio::DOUBLE              AS PERFORMANCE_RATIO,
    JSON_BODY:system_uptime::DOUBLE                  AS SYSTEM_UPTIME_PERCENT,
    JSON_BODY:temperature::DOUBLE                    AS TEMPERATURE_C,
    JSON_BODY:input_voltage::DOUBLE                  AS INPUT_VOLTAGE_V,
    JSON_BODY:output_voltage::DOUBLE                 AS OUTPUT_VOLTAGE_V,
    JSON_BODY:frequency::DOUBLE                      AS FREQUENCY_HZ,
    JSON_BODY:fault_status::VARCHAR                  AS FAULT_STATUS,
    JSON_BODY:device_id::VARCHAR                     AS DEVICE_ID,
    JSON_BODY:boot_id::VARCHAR                       AS BOOT_ID,
    JSON_BODY:sequence::BIGINT                       AS SEQUENCE,
    CONVERT_TIMEZONE('UTC', JSON_BODY:observed_at::TIMESTAMP_TZ)::TIMESTAMP_NTZ AS OBSERVED_AT,
    FILE_NAME,
    FILE_LAST_MODIFIED,
    START_SCAN_TIME
FROM INVERTER_DATA_RAW
QUALIFY JSON_BODY:boot_id IS NULL
     OR IS_NULL_VALUE(JSON_BODY:boot_id)
     OR ROW_NUMBER() OVER (
            PARTITION BY JSON_BODY:device_id::VARCHAR, JSON_BODY:boot_id::VARCHAR, JSON_BODY:sequence::BIGINT
            ORDER BY START_SCAN_TIME) = 1;
