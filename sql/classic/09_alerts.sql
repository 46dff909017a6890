-- Mails when objects are not loaded, and when no object arrives any more.
--
-- Safe to run twice: what exists is left alone (to change an alert, DROP ALERT it first). Needs the integration THERMAL_MAIL of
-- sql/streaming/07_alerts.sql. Replace <you@example.com> first.

USE ROLE SYSADMIN;
USE SCHEMA DEMO.DEMO;

CREATE ALERT IF NOT EXISTS INVERTER_LOAD_FAILED
    SCHEDULE = '15 MINUTE'
    IF (EXISTS (
        SELECT 1
        FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 'DEMO.DEMO.INVERTER_DATA_RAW', START_TIME => DATEADD('MINUTE', -15, CURRENT_TIMESTAMP())))
        WHERE ERROR_COUNT > 0
    ))
    THEN CALL SYSTEM$SEND_EMAIL('THERMAL_MAIL', '<you@example.com>', 'Thermal Streaming: an object was not loaded',
        'Which and why: sql/classic/07_monitoring.sql. Upload the corrected object under another name.');

-- No object for an hour, but some today: an installation that was taken away stops alerting after a day.
CREATE ALERT IF NOT EXISTS INVERTER_SILENT
    SCHEDULE = '30 MINUTE'
    IF (EXISTS (
        SELECT 1
        FROM (SELECT MAX(START_SCAN_TIME) AS LAST_SCAN FROM INVERTER_DATA_RAW WHERE START_SCAN_TIME > DATEADD('DAY', -1, SYSDATE()))
        WHERE LAST_SCAN < DATEADD('HOUR', -1, SYSDATE())
    ))
    THEN CALL SYSTEM$SEND_EMAIL('THERMAL_MAIL', '<you@example.com>', 'Thermal Streaming: no inverter readings',
        'No object was loaded for an hour. Is the pipe running? sql/classic/07_monitoring.sql. On the Pi: ./check');

-- A new alert is suspended.
ALTER ALERT INVERTER_LOAD_FAILED RESUME;
ALTER ALERT INVERTER_SILENT RESUME;
