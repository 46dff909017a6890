using ThermalStreaming.Console;
using ThermalStreaming.Hosting;

return await ServiceProgram.RunAsync(args, ConsoleService.Definition);
