using ThermalStreaming.Thermalctl;

return await ControlCommandLine.RunAsync(args);
