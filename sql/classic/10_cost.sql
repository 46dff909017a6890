-- What classic Snowpipe costs. Queries only; run with a role that may read the SNOWFLAKE database (ACCOUNTADMIN does).
--
-- It bills by volume, 0.0037 credits per GB when this was written (see Snowflake's Consumption Table): text before compression,
-- whatever the number of objects. AWS bills the PUT requests. ACCOUNT_USAGE lags behind by hours.

-- Credits per day.
SELECT
    DATE_TRUNC('DAY', START_TIME)          AS DAY,
    SUM(CREDITS_USED)                      AS CREDITS,
    SUM(BYTES_BILLED) / 1e9                AS GB_BILLED,
    SUM(FILES_INSERTED)                    AS FILES
FROM SNOWFLAKE.ACCOUNT_USAGE.PIPE_USAGE_HISTORY
WHERE PIPE_NAME = 'INVERTER_PIPE'
  AND START_TIME > DATEADD('DAY', -30, CURRENT_TIMESTAMP())
GROUP BY 1
ORDER BY 1 DESC;

-- How large objects are. Snowpipe works best with some 100 MB; many small objects cost PUT requests and time, not credits.
SELECT
    DATE_TRUNC('DAY', LAST_LOAD_TIME)      AS DAY,
    COUNT(*)                               AS FILES,
    AVG(FILE_SIZE) / 1e3                   AS AVERAGE_KB,
    MAX(FILE_SIZE) / 1e6                   AS LARGEST_MB
FROM SNOWFLAKE.ACCOUNT_USAGE.COPY_HISTORY
WHERE PIPE_NAME = 'INVERTER_PIPE'
  AND LAST_LOAD_TIME > DATEADD('DAY', -30, CURRENT_TIMESTAMP())
GROUP BY 1
ORDER BY 1 DESC;
