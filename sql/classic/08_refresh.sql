-- Loads objects that the bucket did not announce: those from before the notification existed, or whose event was lost. Objects of the
-- last 7 days that the pipe has not loaded are queued; loaded ones are left alone. Safe to run twice.

USE ROLE SYSADMIN;
ALTER PIPE DEMO.DEMO.INVERTER_PIPE REFRESH;

-- Older objects (more than 7 days) need a COPY of their own, once, and before the pipe is refreshed: the load history of a
-- COPY (64 days) and that of a pipe (14 days) know nothing of each other.

-- A pipe that was paused for more than 14 days needs
-- SELECT SYSTEM$PIPE_FORCE_RESUME('DEMO.DEMO.INVERTER_PIPE', 'staleness_check_override');
