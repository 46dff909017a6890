using ThermalStreaming.Hosting;
using ThermalStreaming.S3Forwarder;

return await ServiceProgram.RunAsync(args, S3Service.Definition);
