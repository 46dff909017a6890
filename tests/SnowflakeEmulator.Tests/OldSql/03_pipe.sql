-- The pipe between Snowpipe Streaming and the table: it takes each JSON row ($1) apart into columns.
--
-- Safe to run twice: an existing pipe is left alone, because replacing one drops its channels and their offset tokens.
-- A pipe of the original project therefore keeps its old column list; to move to this one, stop the forwarders, wait until
-- their backlog is committed, DROP PIPE DEMO.DEMO.THERMAL_SENSOR_PIPE, and run this file and the grants again.

USE SCHEMA DEMO.DEMO;

CREATE PIPE IF NOT EXISTS THERMAL_SENSOR_PIPE
    COMMENT = 'Snowpipe Streaming: thermal readings'
AS
COPY INTO THERMAL_SENSOR_DATA (
    RAW_DATA,
    UUID, ROWID, HOSTNAME, HOST, IPADDRESS, MACADDRESS,
    TEMPERATURE, HUMIDITY, CO2, EQUIVALENTCO2PPM, TOTALVOCPPB, PRESSURE, TEMPERATUREICP,
    CPUTEMPF, CPU, MEMORY, DISKUSAGE, RUNTIME,
    TS, SYSTEMTIME, STARTTIME, ENDTIME, DATETIMESTAMP, TE,
    INGESTION_TIMESTAMP,
    DEVICE_ID, BOOT_ID, SEQUENCE, FORWARDED_AT, CHANNEL_ID, STREAM_OFFSET
)
FROM (
    SELECT
        $1,
        $1:uuid::VARCHAR,
        $1:rowid::VARCHAR,
        $1:hostname::VARCHAR,
        $1:host::VARCHAR,
        $1:ipaddress::VARCHAR,
        $1:macaddress::VARCHAR,
        $1:temperature::DECIMAL(10, 4),
        $1:humidity::DECIMAL(10, 2),
        $1:co2::DECIMAL(10, 1),
        $1:equivalentco2ppm::DECIMAL(10, 1),
        $1:totalvocppb::DECIMAL(10, 1),
        $1:pressure::DECIMAL(10, 2),
        $1:temperatureicp::DECIMAL(10, 1),
        $1:cputempf::INTEGER,
        $1:cpu::DECIMAL(5, 1),
        $1:memory::DECIMAL(5, 1),
        $1:diskusage::VARCHAR,
        $1:runtime::INTEGER,
        $1:ts::BIGINT,
        $1:systemtime::VARCHAR,
        $1:starttime::VARCHAR,
        $1:endtime::VARCHAR,
        $1:datetimestamp::TIMESTAMP_NTZ,
        $1:te::VARCHAR,
        $1:forwarded_at::TIMESTAMP_NTZ,
        $1:device_id::VARCHAR,
        $1:boot_id::VARCHAR,
        $1:sequence::BIGINT,
        $1:forwarded_at::TIMESTAMP_NTZ,
        $1:channel_id::VARCHAR,
        $1:stream_offset::BIGINT
    FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING'))
);
