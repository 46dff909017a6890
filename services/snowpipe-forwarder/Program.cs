using ThermalStreaming.Hosting;
using ThermalStreaming.SnowpipeForwarder;

return await ServiceProgram.RunAsync(args, SnowpipeService.Definition);
