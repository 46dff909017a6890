using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;
using ThermalStreaming.SensorAgent;

return await ServiceProgram.RunAsync(
    args,
    new ServiceDefinition<AgentOptions>
    {
        Name = "sensor-agent",
        Description = "Reads this machine's sensors and publishes the readings over MQTT 5, none lost.",
        Sources = sources => AgentOptions.AddConfigFile(sources, args),
        Load = AgentOptions.Load,
        Control = AgentControl.Definition,
        Arguments = Agent.Arguments,
        Configure = Agent.Configure,
        Checks = AgentChecks.Steps,
        Commands = load =>
            [
                JournalCommand.Create(Path.Combine(DataDirectory.FromEnvironment(), "outbox"), StoredPayload.Format),
                new SensorCommands(load).Create(),
            ],
    }
);
