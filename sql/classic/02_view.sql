-- A typed view of the inverter readings. Safe to run twice.

USE SCHEMA DEMO.DEMO;

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
    JSON_BODY:quality::VARCHAR                                       AS QUALITY,
    FILE_NAME,
    FILE_LAST_MODIFIED,
    START_SCAN_TIME
FROM INVERTER_DATA_RAW
QUALIFY JSON_BODY:boot_id IS NULL
     OR IS_NULL_VALUE(JSON_BODY:boot_id)
     OR ROW_NUMBER() OVER (
            PARTITION BY JSON_BODY:device_id::VARCHAR, JSON_BODY:boot_id::VARCHAR, JSON_BODY:sequence::VARCHAR
            ORDER BY START_SCAN_TIME) = 1;
