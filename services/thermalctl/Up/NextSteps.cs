namespace ThermalStreaming.Thermalctl;

/// <summary>Commands to continue with, written for this installation.</summary>
static class NextSteps
{
    const int Column = 31;

    /// <param name="project">The settings.</param>
    /// <param name="host">The machine.</param>
    /// <param name="narrator">Shows them.</param>
    public static void Show(ComposeProject project, HostView host, Narrator narrator)
    {
        narrator.Step("Next steps");
        if (project.HostPort("console", 8088) is { } console)
            Show("open the console", $"http://127.0.0.1:{console}");
        if (project.HasStandIns)
        {
            var bucket = project.Value("services", "localstack", "environment", "S3_BUCKET");
            var emulator = $"http://127.0.0.1:{project.HostPort("snowflake", 8090)}";
            Show(
                "rows in Snowflake's stand-in",
                "./up sql sql/queries/01_views.sql, then ./up sql sql/queries/02_latest_and_freshness.sql"
            );
            Show("objects in the table", "./up sql sql/classic/07_monitoring.sql");
            Show(
                "clients of your own, HTTPS",
                $"https://127.0.0.1:{project.HostPort("snowflake", 8443)}, trusted through '{emulator}/emulator/ca.pem': docs/emulator.md"
            );
            Show("objects in the bucket", $"docker compose exec localstack awslocal s3 ls --recursive s3://{bucket}/");
            Show(
                "send a reading of your own",
                $"mosquitto_pub -p {project.HostPort("mosquitto", 1883)} -u publisher "
                    + "-P \"$(docker compose exec -T mosquitto cat /run/mqtt/password)\" -q 1 "
                    + "-t telemetry/v1/demo/thermal -m '{\"temperature\": 21.5, \"humidity\": 40}'"
            );
        }
        if (project.Has("mosquitto"))
            Show("let a device publish", "./up --enroll my-esp32");
        else
            Show("what the agent does", "./thermalctl status");
        Show("is everything well?", "./check");
        Show("follow the logs", "docker compose logs -f");
        if (project.Has("snowpipe-forwarder"))
            Show("four Snowflake forwarders", "SNOWPIPE_FORWARDERS=4 in .env, then ./up --no-build");
        if (SensorOffer.For(project, host.Devices) is { } offer)
            Show("read the sensors attached here", offer);
        Show("real accounts, real sensors", ".env.example and README.md");
        Show("stop, keep the data", "./up --down");

        void Show(string what, string command) => narrator.Say(what.PadRight(Column) + command);
    }
}
