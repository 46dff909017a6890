-- The table that Snowpipe Streaming writes thermal readings to.
--
-- Safe to run twice, and safe on a table that the original project created: nothing is replaced, columns that are
-- missing are added. Every sensor column may be NULL: a sensor that gave no value is NULL here, never 0.

USE SCHEMA DEMO.DEMO;

CREATE TABLE IF NOT EXISTS THERMAL_SENSOR_DATA (
    -- The row as the forwarder wrote it, with the sender's own keys. If it replaced a sender's value (it writes times
    -- in UTC), the value as it was sent is in RAW_DATA:as_sent.
    RAW_DATA            VARIANT,

    -- Which reading, from which machine.
    UUID                VARCHAR(100),
    ROWID               VARCHAR(100),
    HOSTNAME            VARCHAR(100),
    HOST                VARCHAR(100),
    IPADDRESS           VARCHAR(50),
    MACADDRESS          VARCHAR(50),

    -- Sensors.
    TEMPERATURE         DECIMAL(10, 4) COMMENT 'SCD4x, degrees Celsius',
    HUMIDITY            DECIMAL(10, 2) COMMENT 'SCD4x, percent relative humidity',
    CO2                 DECIMAL(10, 1) COMMENT 'SCD4x, parts per million',
    EQUIVALENTCO2PPM    DECIMAL(10, 1) COMMENT 'SGP30, equivalent CO2, parts per million',
    TOTALVOCPPB         DECIMAL(10, 1) COMMENT 'SGP30, total volatile organic compounds, parts per billion',
    PRESSURE            DECIMAL(10, 2) COMMENT 'ICP-10125, pascals',
    TEMPERATUREICP      DECIMAL(10, 1) COMMENT 'ICP-10125, degrees Fahrenheit',

    -- The machine itself.
    CPUTEMPF            INTEGER        COMMENT 'degrees Fahrenheit',
    CPU                 DECIMAL(5, 1)  COMMENT 'percent busy',
    MEMORY              DECIMAL(5, 1)  COMMENT 'percent used',
    DISKUSAGE           VARCHAR(50)    COMMENT 'free space, as in 1234.5 MB',
    RUNTIME             INTEGER        COMMENT 'seconds the agent has been running',

    -- When. DATETIMESTAMP is UTC.
    TS                  BIGINT         COMMENT 'seconds since 1970',
    SYSTEMTIME          VARCHAR(50),
    STARTTIME           VARCHAR(50),
    ENDTIME             VARCHAR(50),
    DATETIMESTAMP       TIMESTAMP_NTZ,
    TE                  VARCHAR(50)    COMMENT 'seconds the reading took',

    -- When the forwarder took the row over (UTC); the same value as FORWARDED_AT. It is the column the original's queries
    -- measure latency with, and it has no default: CURRENT_TIMESTAMP in a streaming pipe or default is evaluated once,
    -- when the COPY is compiled, and not for each row.
    INGESTION_TIMESTAMP TIMESTAMP_NTZ
)
ERROR_LOGGING = TRUE
COMMENT = 'Thermal and environmental readings, one row per reading';

-- These columns identify a reading and make a gap visible: (DEVICE_ID, BOOT_ID, SEQUENCE) names a reading once and for all,
-- STREAM_OFFSET counts the rows of one CHANNEL_ID. Added by ALTER so that an older table gets them too.
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS DEVICE_ID VARCHAR(100);
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS BOOT_ID VARCHAR(100);
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS SEQUENCE BIGINT;
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS FORWARDED_AT TIMESTAMP_NTZ;
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS CHANNEL_ID VARCHAR(200);
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS STREAM_OFFSET BIGINT;

-- Columns that the original's tables lack. Older rows keep NULL here; RAW_DATA may have their values, under the same names. A pipe that is
-- older than these columns fills none of them and loads rows as before: 03_pipe.sql says how to move to the new one.
-- GAS_RESISTANCE: BME680 and BME688, ohms.
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS GAS_RESISTANCE DECIMAL(12, 0);
-- QUALITY: what is odd, NULL when nothing is: 'icp10125:Stuck', 'scd4x:Jump', 'clock:Unsynchronised' (DATETIMESTAMP comes from a clock
-- that was not set), 'clock:Adjusting' (it is up to a minute ahead).
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS QUALITY VARCHAR;
-- SENSORS: which sensors delivered: 'scd4x,icp10125,sgp30'.
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS SENSORS VARCHAR;
-- UNDER_VOLTAGE, THROTTLED: a Raspberry Pi's supply is too weak; why its processor is slowed, the bits of vcgencmd get_throttled. NULL on
-- other machines.
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS UNDER_VOLTAGE BOOLEAN;
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS THROTTLED BIGINT;
-- LOAD_1M, UPTIME_S: tasks of the machine that ran or wanted to, over a minute; seconds since it was started.
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS LOAD_1M DECIMAL(10, 2);
ALTER TABLE THERMAL_SENSOR_DATA ADD COLUMN IF NOT EXISTS UPTIME_S BIGINT;

-- Rows that the pipe rejects are kept: SELECT * FROM ERROR_TABLE(THERMAL_SENSOR_DATA);
ALTER TABLE THERMAL_SENSOR_DATA SET ERROR_LOGGING = TRUE;
