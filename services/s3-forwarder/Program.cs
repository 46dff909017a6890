using ThermalStreaming.Hosting;
using ThermalStreaming.S3Forwarder;

return await ServiceProgram.RunAsync(args, new ServiceDefinition<S3Options>
{
    Name = "s3-forwarder",
    Description = "Takes readings from the broker and uploads them as objects for classic Snowpipe.",
    Load = S3Options.Load,
    Configure = (services, options) => services.AddS3(options),
    Checks = S3Checks.Steps,
});
