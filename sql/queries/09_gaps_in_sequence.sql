-- Is a reading missing between sensor and table? A device numbers its readings 1, 2, 3… from each of its starts (BOOT_ID), so a
-- number that is not there is a reading that did not arrive. This is the query that proves the promise.
--
-- Needs 01_views.sql. Not gaps: the newest readings, still on their way; and rows that you deleted, which look like one.
-- Left out: readings that the sender does not number. The forwarder names them by their place in its journal (BOOT_ID journal-...),
-- where readings of other devices lie between them. A device may also count from 0.

USE SCHEMA DEMO.DEMO;

WITH STEPS AS (
    SELECT
        DEVICE,
        BOOT_ID,
        COALESCE(LAG(SEQUENCE) OVER (PARTITION BY DEVICE, BOOT_ID ORDER BY SEQUENCE), 0) AS BEFORE_GAP,
        SEQUENCE                                                                         AS AFTER_GAP,
        LAG(DATETIMESTAMP) OVER (PARTITION BY DEVICE, BOOT_ID ORDER BY SEQUENCE)         AS FROM_TIME,
        DATETIMESTAMP                                                                    AS TO_TIME
    FROM THERMAL_SENSOR_READINGS
    WHERE BOOT_ID <> '' AND BOOT_ID NOT LIKE 'journal-%' AND SEQUENCE IS NOT NULL
)
SELECT
    DEVICE,
    BOOT_ID,
    BEFORE_GAP + 1             AS FIRST_MISSING,
    AFTER_GAP - 1              AS LAST_MISSING,
    AFTER_GAP - BEFORE_GAP - 1 AS MISSING_READINGS,
    FROM_TIME,
    TO_TIME
FROM STEPS
WHERE AFTER_GAP > BEFORE_GAP + 1
ORDER BY TO_TIME DESC;

-- The balance of each start of each device: what arrived, and what should have.
SELECT
    DEVICE,
    BOOT_ID,
    MIN(DATETIMESTAMP)             AS FIRST_READING,
    MAX(DATETIMESTAMP)             AS LAST_READING,
    COUNT(*)                       AS ARRIVED,
    MAX(SEQUENCE)                  AS HIGHEST_NUMBER,
    MAX(SEQUENCE) - LEAST(MIN(SEQUENCE), 1) + 1 - COUNT(*) AS MISSING_READINGS
FROM THERMAL_SENSOR_READINGS
WHERE BOOT_ID <> '' AND BOOT_ID NOT LIKE 'journal-%' AND SEQUENCE IS NOT NULL
GROUP BY DEVICE, BOOT_ID
ORDER BY LAST_READING DESC;
