-- Is the stream flowing, and how fast? From the rows themselves; Snowflake's own figures are in sql/streaming/06_monitoring.sql.
--
-- DATETIMESTAMP: when the reading was taken, by the device's clock. FORWARDED_AT: when the forwarder cut the batch that
-- carried it. INGESTION_TIMESTAMP is the same as FORWARDED_AT: CURRENT_TIMESTAMP in a pipe or a default is evaluated once,
-- when the COPY is compiled, so a latency computed from it means nothing.

USE SCHEMA DEMO.DEMO;

-- Rows per minute over the last hour, minutes without any included.
WITH MINUTES AS (
    SELECT DATEADD('MINUTE', 1 - ROW_NUMBER() OVER (ORDER BY SEQ4()), DATE_TRUNC('MINUTE', SYSDATE())) AS MINUTE
    FROM TABLE(GENERATOR(ROWCOUNT => 60))
)
SELECT MINUTES.MINUTE, COUNT(DATA.FORWARDED_AT) AS ROW_COUNT
FROM MINUTES
LEFT JOIN THERMAL_SENSOR_DATA AS DATA
  ON DATE_TRUNC('MINUTE', DATA.FORWARDED_AT) = MINUTES.MINUTE
GROUP BY MINUTES.MINUTE
ORDER BY MINUTES.MINUTE;

-- Seconds from reading to forwarder, by hour. Hours, not seconds, are readings that waited on a disk for the network.
SELECT
    DATE_TRUNC('HOUR', FORWARDED_AT)                                                              AS HOUR,
    COUNT(*)                                                                                      AS ROW_COUNT,
    PERCENTILE_CONT(0.5)  WITHIN GROUP (ORDER BY DATEDIFF('MILLISECOND', DATETIMESTAMP, FORWARDED_AT)) / 1000 AS P50_S,
    PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY DATEDIFF('MILLISECOND', DATETIMESTAMP, FORWARDED_AT)) / 1000 AS P95_S,
    MAX(DATEDIFF('MILLISECOND', DATETIMESTAMP, FORWARDED_AT)) / 1000                              AS LONGEST_S
FROM THERMAL_SENSOR_DATA
WHERE FORWARDED_AT > DATEADD('DAY', -1, SYSDATE())
GROUP BY 1
ORDER BY 1;

-- Which channel brings how much.
SELECT CHANNEL_ID, COUNT(*) AS ROW_COUNT, MIN(STREAM_OFFSET) AS FIRST_OFFSET, MAX(STREAM_OFFSET) AS LAST_OFFSET, MAX(FORWARDED_AT) AS LAST_ROW
FROM THERMAL_SENSOR_DATA
WHERE CHANNEL_ID IS NOT NULL
GROUP BY CHANNEL_ID
ORDER BY LAST_ROW DESC;

-- How often does each sensor deliver a value? Shares of rows with a value, over the last day.
SELECT
    COALESCE(DEVICE_ID, HOSTNAME)          AS DEVICE,
    COUNT(*)                               AS ROW_COUNT,
    COUNT(TEMPERATURE) / COUNT(*)          AS TEMPERATURE,
    COUNT(CO2) / COUNT(*)                  AS CO2,
    COUNT(PRESSURE) / COUNT(*)             AS PRESSURE,
    COUNT(TOTALVOCPPB) / COUNT(*)          AS TOTALVOCPPB,
    COUNT(GAS_RESISTANCE) / COUNT(*)       AS GAS_RESISTANCE,
    COUNT(CPUTEMPF) / COUNT(*)             AS CPUTEMPF
FROM THERMAL_SENSOR_DATA
WHERE DATETIMESTAMP > DATEADD('DAY', -1, SYSDATE())
GROUP BY 1
ORDER BY 1;

-- What is odd about readings of the last day, and how often? 'clock:Unsynchronised' readings have the time of a clock that was not
-- set; FORWARDED_AT is the better time then.
SELECT COALESCE(DEVICE_ID, HOSTNAME) AS DEVICE, QUALITY, COUNT(*) AS ROW_COUNT, MIN(FORWARDED_AT) AS FIRST_ROW, MAX(FORWARDED_AT) AS LAST_ROW
FROM THERMAL_SENSOR_DATA
WHERE FORWARDED_AT > DATEADD('DAY', -1, SYSDATE()) AND QUALITY IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2;
