-- What are the newest values, and is every device still reporting? Needs 01_views.sql.

USE SCHEMA DEMO.DEMO;

-- The newest reading of each device.
SELECT DEVICE, DATETIMESTAMP, AGE_SECONDS, TEMPERATURE, HUMIDITY, CO2, PRESSURE, TOTALVOCPPB, CPU, MEMORY, CPUTEMP_C, DISKUSAGE
FROM THERMAL_SENSOR_LATEST
ORDER BY DEVICE;

-- Freshness. A device that publishes every 5 s is late after a minute: commits take 5 to 10 s.
SELECT
    DEVICE,
    DATETIMESTAMP AS LAST_READING,
    AGE_SECONDS,
    CASE
        WHEN AGE_SECONDS < -60 THEN 'its clock is ahead'
        WHEN AGE_SECONDS <= 60 THEN 'fresh'
        WHEN AGE_SECONDS <= 600 THEN 'late'
        ELSE 'silent'
    END AS STATE
FROM THERMAL_SENSOR_LATEST
ORDER BY AGE_SECONDS DESC;

-- Is each machine well? A weak supply, a processor that is slowed, a clock that is not set. NULL: the machine does not report it.
SELECT DEVICE, DATETIMESTAMP, UNDER_VOLTAGE, THROTTLED, LOAD_1M, ROUND(UPTIME_S / 3600, 1) AS UPTIME_HOURS, SENSORS, QUALITY
FROM THERMAL_SENSOR_LATEST
ORDER BY DEVICE;
