-- What the stream costs. Queries only; run with a role that may read the SNOWFLAKE database (ACCOUNTADMIN does).
--
-- Snowpipe Streaming and Snowpipe both bill by uncompressed volume, 0.0037 credits per GB when this was written (see
-- Snowflake's Consumption Table). Streaming bills values, not JSON keys, for columns that the pipe maps; RAW_DATA, a
-- VARIANT, takes the whole row. ACCOUNT_USAGE lags behind by hours.

-- Credits per day and pipe, streaming.
SELECT
    DATE_TRUNC('DAY', M.START_TIME)        AS DAY,
    P.PIPE_NAME,
    SUM(M.CREDITS_USED)                    AS CREDITS
FROM SNOWFLAKE.ACCOUNT_USAGE.METERING_HISTORY AS M
JOIN SNOWFLAKE.ACCOUNT_USAGE.PIPES AS P
  ON P.PIPE_ID = M.ENTITY_ID
 AND P.PIPE_NAME = M.NAME
WHERE M.SERVICE_TYPE = 'SNOWPIPE_STREAMING'
  AND M.START_TIME > DATEADD('DAY', -30, CURRENT_TIMESTAMP())
GROUP BY 1, 2
ORDER BY 1 DESC, 2;

-- The same for classic Snowpipe (the bucket).
SELECT
    DATE_TRUNC('DAY', START_TIME)          AS DAY,
    PIPE_NAME,
    SUM(CREDITS_USED)                      AS CREDITS,
    SUM(BYTES_INSERTED) / 1e9              AS GB,
    SUM(FILES_INSERTED)                    AS FILES
FROM SNOWFLAKE.ACCOUNT_USAGE.PIPE_USAGE_HISTORY
WHERE START_TIME > DATEADD('DAY', -30, CURRENT_TIMESTAMP())
GROUP BY 1, 2
ORDER BY 1 DESC, 2;

-- Storage. Rows that were deleted still cost for Time Travel and Fail-safe.
SELECT
    TABLE_NAME,
    ACTIVE_BYTES / 1e9                     AS GB,
    TIME_TRAVEL_BYTES / 1e9                AS TIME_TRAVEL_GB,
    FAILSAFE_BYTES / 1e9                   AS FAILSAFE_GB
FROM SNOWFLAKE.ACCOUNT_USAGE.TABLE_STORAGE_METRICS
WHERE TABLE_CATALOG = 'DEMO'
  AND TABLE_SCHEMA = 'DEMO'
  AND DELETED = FALSE
ORDER BY ACTIVE_BYTES DESC;
