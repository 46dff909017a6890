-- Lets the s3-forwarder ask whether its objects were loaded, and have missed ones loaded (SNOWPIPE_MONITOR=true). Optional.
--
-- Safe to run twice. Run sql/streaming/04_role.sql and 05_user.sql first: they make the role, the user and the place for its key.
-- Classic Snowpipe's REST API cannot choose a role: a user acts there as its DEFAULT_ROLE, which must have these rights. For a user
-- of the s3-forwarder's own (SNOWPIPE_USER), replace role and user below.

USE ROLE SECURITYADMIN; -- may grant, whoever owns the objects

GRANT USAGE ON DATABASE DEMO TO ROLE THERMAL_STREAMING_ROLE;
GRANT USAGE ON SCHEMA DEMO.DEMO TO ROLE THERMAL_STREAMING_ROLE;
-- MONITOR: insertReport and loadHistoryScan. OPERATE: insertFiles, which 's3-forwarder loads refresh' calls.
GRANT MONITOR, OPERATE ON PIPE DEMO.DEMO.INVERTER_PIPE TO ROLE THERMAL_STREAMING_ROLE;
-- insertFiles reads and inserts with the rights of the role that calls it.
GRANT USAGE ON STAGE DEMO.DEMO.INVERTER_STAGE TO ROLE THERMAL_STREAMING_ROLE;
GRANT USAGE ON FILE FORMAT DEMO.DEMO.INVERTER_JSON TO ROLE THERMAL_STREAMING_ROLE;
GRANT INSERT, SELECT ON TABLE DEMO.DEMO.INVERTER_DATA_RAW TO ROLE THERMAL_STREAMING_ROLE;

-- The default role must be this one.
DESCRIBE USER THERMAL_STREAMING_USER;
