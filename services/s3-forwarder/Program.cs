using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.S3Forwarder;

return await ServiceProgram.RunAsync(args, new ServiceDefinition<S3ServiceOptions>
{
    Name = S3Services.Name,
    Description = "Takes readings from the broker and uploads them as objects for classic Snowpipe.",
    Load = S3ServiceOptions.Load,
    Configure = (services, options) => services.AddS3(options.S3).AddForwarder(options.Forwarder, (provider, _) => provider.GetRequiredService<Func<IBatchSink>>()()),
    Checks = (options, provider) => S3Checks.Steps(options.S3, provider),
});
