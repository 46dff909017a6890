-- The stream as Snowflake itself sees it: channels, lag, refused rows. Queries only; run those that you need.
--
-- ACCOUNT_USAGE lags behind, by up to some hours, and needs a role that may read the SNOWFLAKE database (ACCOUNTADMIN does).
-- What is happening now: ./check, and the status of each forwarder (docs/operations.md).

USE SCHEMA DEMO.DEMO;

-- All channels: one per slot of a forwarder, named {SNOWFLAKE_CHANNEL}_{slot}_{journal}. The offset token is
-- {journal}:{offset of the last committed reading}.
SHOW CHANNELS IN PIPE DEMO.DEMO.THERMAL_SENSOR_PIPE;

-- Whether the pipe can work: executionState must be RUNNING.
SELECT SYSTEM$PIPE_STATUS('DEMO.DEMO.THERMAL_SENSOR_PIPE');

-- Rows, refused rows and Snowflake's own latency by channel and hour.
SELECT
    DATE_TRUNC('HOUR', CREATED_ON)         AS HOUR,
    CHANNEL_NAME,
    SUM(ROWS_INSERTED)                     AS ROWS_INSERTED,
    SUM(ROW_ERROR_COUNT)                   AS ROWS_REFUSED,
    MAX(END_OFFSET)                        AS LAST_OFFSET_TOKEN,
    AVG(SNOWFLAKE_PROCESSING_LATENCY_MS)   AS LATENCY_MS,
    MAX(LAST_ERROR_MESSAGE)                AS AN_ERROR_MESSAGE
FROM SNOWFLAKE.ACCOUNT_USAGE.SNOWPIPE_STREAMING_CHANNEL_HISTORY
WHERE PIPE_DATABASE_NAME = 'DEMO'
  AND PIPE_SCHEMA_NAME = 'DEMO'
  AND PIPE_NAME = 'THERMAL_SENSOR_PIPE'
  AND CREATED_ON > DATEADD('DAY', -7, CURRENT_TIMESTAMP())
GROUP BY 1, 2
ORDER BY 1 DESC, 2;

-- How far behind is the table? From reading to forwarder, in seconds, over the last hour. A value that grows means that the
-- forwarder or the broker was away; SECONDS_SINCE_LAST_ROW also grows when Snowflake takes nothing.
SELECT
    COUNT(*)                                                                             AS ROWS_IN_LAST_HOUR,
    MEDIAN(DATEDIFF('MILLISECOND', DATETIMESTAMP, FORWARDED_AT)) / 1000                  AS MEDIAN_LAG_S,
    MAX(DATEDIFF('MILLISECOND', DATETIMESTAMP, FORWARDED_AT)) / 1000                     AS LONGEST_LAG_S,
    DATEDIFF('SECOND', MAX(FORWARDED_AT), SYSDATE())                                     AS SECONDS_SINCE_LAST_ROW
FROM THERMAL_SENSOR_DATA
WHERE FORWARDED_AT > DATEADD('HOUR', -1, SYSDATE());

-- The lag to the commit itself needs row timestamps, which are recorded from then on:
-- ALTER TABLE THERMAL_SENSOR_DATA SET ROW_TIMESTAMP = TRUE;
-- SELECT MEDIAN(DATEDIFF('MILLISECOND', FORWARDED_AT, CONVERT_TIMEZONE('UTC', METADATA$ROW_LAST_COMMIT_TIME)::TIMESTAMP_NTZ)) / 1000 AS MEDIAN_COMMIT_S
-- FROM THERMAL_SENSOR_DATA WHERE FORWARDED_AT > DATEADD('HOUR', -1, SYSDATE());

-- Rows that Snowflake refused, with the reason and the row as it was sent. The forwarder keeps the same readings as dead
-- letters (dead-letters list); after the table is corrected, dead-letters replay sends them again.
SELECT
    TIMESTAMP                                             AS REFUSED_AT,
    ERROR_CODE,
    ERROR_METADATA:error_message::VARCHAR                 AS ERROR_MESSAGE,
    ERROR_METADATA:error_source::VARCHAR                  AS COLUMN_NAME,
    ERROR_METADATA:details:channel_name::VARCHAR          AS CHANNEL_NAME,
    ERROR_METADATA:details:offset_token_upper_bound::VARCHAR AS AT_OR_BEFORE_OFFSET_TOKEN,
    ERROR_DATA:"$1"::VARCHAR                              AS SENT_ROW
FROM ERROR_TABLE(THERMAL_SENSOR_DATA)
WHERE ERROR_METADATA:service = 'snowpipe_streaming'
ORDER BY TIMESTAMP DESC
LIMIT 100;
