-- The role that the forwarder works as, with the rights that Snowpipe Streaming needs and no others: it can add rows to one
-- table through one pipe. It cannot read, change or delete them.
--
-- Safe to run twice. Run it again after a pipe or table was made again: dropping an object drops its grants.

USE ROLE USERADMIN;
CREATE ROLE IF NOT EXISTS THERMAL_STREAMING_ROLE
    COMMENT = 'Thermal Streaming: streams rows into THERMAL_SENSOR_DATA';

USE ROLE SECURITYADMIN; -- may grant, whoever owns the objects
GRANT USAGE ON DATABASE DEMO TO ROLE THERMAL_STREAMING_ROLE;
GRANT USAGE ON SCHEMA DEMO.DEMO TO ROLE THERMAL_STREAMING_ROLE;
GRANT INSERT ON TABLE DEMO.DEMO.THERMAL_SENSOR_DATA TO ROLE THERMAL_STREAMING_ROLE;
-- A pipe of your own needs OPERATE; the default pipe (THERMAL_SENSOR_DATA-STREAMING) needs no grant of its own.
GRANT OPERATE ON PIPE DEMO.DEMO.THERMAL_SENSOR_PIPE TO ROLE THERMAL_STREAMING_ROLE;

-- So that administrators see what the role does.
GRANT ROLE THERMAL_STREAMING_ROLE TO ROLE SYSADMIN;

SHOW GRANTS TO ROLE THERMAL_STREAMING_ROLE;
