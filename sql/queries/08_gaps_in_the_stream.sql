-- Is a row missing between forwarder and table? STREAM_OFFSET counts the readings of one channel; a jump is a gap.
--
-- Three things make one:
--   refused rows     Snowflake refused them. They are in ERROR_TABLE (sql/streaming/06_monitoring.sql) and in the
--                    forwarder's dead letters; replayed, they arrive under new offsets.
--   a torn journal   after a power cut that left the end of the journal's file torn, the forwarder continues up to 2^20
--                    offsets further on, so that no offset ever means two readings. Nothing need be missing: the readings
--                    concerned were not acknowledged and are sent again. 09_gaps_in_sequence.sql
--                    shows whether one is missing.
--   loss             what this project exists to prevent. Please report it, with the row of this query.
-- The end of the channel's name is the identity of its journal: a new SD card is a new channel and starts at 0.

USE SCHEMA DEMO.DEMO;

WITH STEPS AS (
    SELECT
        CHANNEL_ID,
        LAG(STREAM_OFFSET) OVER (PARTITION BY CHANNEL_ID ORDER BY STREAM_OFFSET) AS BEFORE_GAP,
        STREAM_OFFSET                                                            AS AFTER_GAP,
        LAG(FORWARDED_AT) OVER (PARTITION BY CHANNEL_ID ORDER BY STREAM_OFFSET)  AS FROM_TIME,
        FORWARDED_AT                                                             AS TO_TIME
    FROM THERMAL_SENSOR_DATA
    WHERE CHANNEL_ID IS NOT NULL
)
SELECT
    CHANNEL_ID,
    BEFORE_GAP,
    AFTER_GAP,
    AFTER_GAP - BEFORE_GAP - 1 AS MISSING_OFFSETS,
    FROM_TIME,
    TO_TIME,
    CASE
        WHEN AFTER_GAP - BEFORE_GAP - 1 > 1048576 THEN 'more than one jump, or loss: compare 09_gaps_in_sequence.sql'
        WHEN AFTER_GAP - BEFORE_GAP - 1 >= 100000 THEN 'probably the jump after a torn journal: compare 09_gaps_in_sequence.sql'
        ELSE 'refused rows (see ERROR_TABLE), or loss'
    END AS LIKELY
FROM STEPS
WHERE AFTER_GAP > BEFORE_GAP + 1
ORDER BY TO_TIME DESC;
