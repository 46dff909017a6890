-- The state of the objects: loaded, refused, how late. Queries only; the stand-in answers them too
-- (./up sql sql/classic/07_monitoring.sql).
--
-- COPY_HISTORY goes back 14 days. VALIDATE_PIPE_LOAD does not work here, because the pipe selects metadata columns.

USE SCHEMA DEMO.DEMO;

-- Is the pipe running, and what did it load last? executionState must be RUNNING.
SELECT SYSTEM$PIPE_STATUS('DEMO.DEMO.INVERTER_PIPE') AS PIPE_STATUS;

-- The last day by state.
SELECT
    STATUS,
    COUNT(*)               AS FILES,
    SUM(ROW_COUNT)         AS ROWS_LOADED,
    SUM(ROW_PARSED)        AS ROWS_PARSED,
    SUM(ERROR_COUNT)       AS ERRORS,
    SUM(FILE_SIZE) / 1e6   AS MB,
    MAX(LAST_LOAD_TIME)    AS LAST_LOAD
FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 'DEMO.DEMO.INVERTER_DATA_RAW', START_TIME => DATEADD('HOUR', -24, CURRENT_TIMESTAMP())))
GROUP BY STATUS
ORDER BY STATUS;

-- Objects that were not loaded, or not whole, and why. A pipe reads a name once: upload the corrected object under another.
SELECT
    LAST_LOAD_TIME,
    FILE_NAME,
    STATUS,
    ROW_COUNT,
    ROW_PARSED,
    ERROR_COUNT,
    FIRST_ERROR_MESSAGE,
    FIRST_ERROR_LINE_NUMBER,
    FIRST_ERROR_CHARACTER_POS
FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 'DEMO.DEMO.INVERTER_DATA_RAW', START_TIME => DATEADD('DAY', -14, CURRENT_TIMESTAMP())))
WHERE ERROR_COUNT > 0
ORDER BY LAST_LOAD_TIME DESC
LIMIT 100;

-- How late: from the upload to the scan by Snowpipe, in seconds, over the last hour of readings.
SELECT
    COUNT(*)                                                                    AS ROWS_IN_LAST_HOUR,
    COUNT(DISTINCT FILE_NAME)                                                   AS FILES,
    MEDIAN(DATEDIFF('MILLISECOND', FILE_LAST_MODIFIED, START_SCAN_TIME)) / 1000 AS MEDIAN_S,
    MAX(DATEDIFF('MILLISECOND', FILE_LAST_MODIFIED, START_SCAN_TIME)) / 1000    AS LONGEST_S,
    DATEDIFF('SECOND', MAX(START_SCAN_TIME), SYSDATE())                         AS SECONDS_SINCE_LAST_FILE
FROM INVERTER_DATA_RAW
WHERE START_SCAN_TIME > DATEADD('HOUR', -1, SYSDATE());

-- Readings that are in the table more than once: there should be none.
SELECT
    JSON_BODY:device_id::VARCHAR   AS DEVICE_ID,
    JSON_BODY:boot_id::VARCHAR     AS BOOT_ID,
    JSON_BODY:sequence::VARCHAR    AS SEQUENCE,
    COUNT(*)                       AS COPIES,
    MIN(FILE_NAME)                 AS ONE_FILE,
    MAX(FILE_NAME)                 AS ANOTHER_FILE
FROM INVERTER_DATA_RAW
WHERE JSON_BODY:boot_id::VARCHAR IS NOT NULL
GROUP BY 1, 2, 3
HAVING COUNT(*) > 1
ORDER BY COPIES DESC
LIMIT 100;
