-- Did a reading arrive more than once? No row is the answer to expect. The view THERMAL_SENSOR_READINGS shows each once either way.

USE SCHEMA DEMO.DEMO;

SELECT
    DEVICE_ID,
    BOOT_ID,
    SEQUENCE,
    COUNT(*)                                                        AS COPIES,
    LISTAGG(CHANNEL_ID || ':' || STREAM_OFFSET::VARCHAR, ', ')      AS WHERE_FROM,
    MIN(FORWARDED_AT)                                               AS FIRST_FORWARDED,
    MAX(FORWARDED_AT)                                               AS LAST_FORWARDED
FROM THERMAL_SENSOR_DATA
WHERE BOOT_ID <> '' AND SEQUENCE IS NOT NULL
GROUP BY DEVICE_ID, BOOT_ID, SEQUENCE
HAVING COUNT(*) > 1
ORDER BY LAST_FORWARDED DESC;
