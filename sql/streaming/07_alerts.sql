-- Mails when a device falls silent, when rows are refused, and when the air is bad.
--
-- Safe to run twice: what exists is left alone (to change an alert, DROP ALERT it first). Needs the views of
-- sql/queries/01_views.sql. Replace <you@example.com> first; the address must belong to a user of the account and be
-- verified. The alerts run without a warehouse of your own; each check costs a little, so lengthen SCHEDULE if you can wait.

USE ROLE ACCOUNTADMIN; -- for the integration and the two account privileges
CREATE NOTIFICATION INTEGRATION IF NOT EXISTS THERMAL_MAIL
    TYPE = EMAIL
    ENABLED = TRUE
    ALLOWED_RECIPIENTS = ('<you@example.com>');
GRANT USAGE ON INTEGRATION THERMAL_MAIL TO ROLE SYSADMIN;
GRANT EXECUTE ALERT ON ACCOUNT TO ROLE SYSADMIN;
GRANT EXECUTE MANAGED ALERT ON ACCOUNT TO ROLE SYSADMIN;

USE ROLE SYSADMIN;
USE SCHEMA DEMO.DEMO;

-- Silent for more than 10 minutes, but heard of today: a device that was taken away stops alerting after a day.
CREATE ALERT IF NOT EXISTS THERMAL_DEVICE_SILENT
    SCHEDULE = '10 MINUTE'
    IF (EXISTS (
        SELECT 1
        FROM THERMAL_SENSOR_LATEST
        WHERE AGE_SECONDS BETWEEN 600 AND 86400
    ))
    THEN CALL SYSTEM$SEND_EMAIL('THERMAL_MAIL', '<you@example.com>', 'Thermal Streaming: a device is silent',
        'No reading for more than 10 minutes. Which: SELECT DEVICE, DATETIMESTAMP, AGE_SECONDS FROM DEMO.DEMO.THERMAL_SENSOR_LATEST ORDER BY AGE_SECONDS DESC. On the Pi: ./check');

CREATE ALERT IF NOT EXISTS THERMAL_ROWS_REFUSED
    SCHEDULE = '15 MINUTE'
    IF (EXISTS (
        SELECT 1
        FROM ERROR_TABLE(THERMAL_SENSOR_DATA)
        WHERE TIMESTAMP > DATEADD('MINUTE', -15, CURRENT_TIMESTAMP())
    ))
    THEN CALL SYSTEM$SEND_EMAIL('THERMAL_MAIL', '<you@example.com>', 'Thermal Streaming: rows were refused',
        'Snowflake refused rows. Why: the last query of sql/streaming/06_monitoring.sql. The forwarder keeps them: dead-letters list');

CREATE ALERT IF NOT EXISTS THERMAL_BAD_AIR
    SCHEDULE = '10 MINUTE'
    IF (EXISTS (
        SELECT 1
        FROM THERMAL_SENSOR_DATA
        WHERE DATETIMESTAMP > DATEADD('MINUTE', -10, SYSDATE())
        GROUP BY COALESCE(DEVICE_ID, HOSTNAME)
        HAVING AVG(CO2) > 1200
    ))
    THEN CALL SYSTEM$SEND_EMAIL('THERMAL_MAIL', '<you@example.com>', 'Thermal Streaming: open a window',
        'CO2 was above 1200 ppm on average over the last 10 minutes. Where: sql/queries/04_thresholds.sql');

-- A new alert is suspended.
ALTER ALERT THERMAL_DEVICE_SILENT RESUME;
ALTER ALERT THERMAL_ROWS_REFUSED RESUME;
ALTER ALERT THERMAL_BAD_AIR RESUME;

-- The history of the alerts:
-- SELECT * FROM TABLE(INFORMATION_SCHEMA.ALERT_HISTORY(SCHEDULED_TIME_RANGE_START => DATEADD('HOUR', -1, CURRENT_TIMESTAMP()))) ORDER BY SCHEDULED_TIME DESC;
