using ThermalStreaming.SensorAgent.Tests;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Console.Tests;

/// <summary>A real agent whose control service is called by real clients. It has no broker, which control does not need.</summary>
sealed class ControlledAgent : IDisposable
{
    const int NoBroker = 1;

    readonly TempDirectory directory = new();

    /// <param name="settings">More of its settings.</param>
    public ControlledAgent(params (string Key, string Value)[] settings)
    {
        WriteToken(FakeToken.Value);
        Process = new AgentProcess(
            directory.File("data"),
            NoBroker,
            [("GRPC_PORT", $"{Port}"), ("CONTROL_TOKEN_FILE", TokenFile), .. settings]
        );
    }

    public AgentProcess Process { get; }

    /// <summary>GRPC_PORT.</summary>
    public int Port { get; } = Ports.Take();

    public string TokenFile => Path.Combine(Directory.CreateDirectory(directory.File("control/sensor-agent")).FullName, "token");

    /// <summary>The tokens' directory, with one for each program.</summary>
    public string Tokens => directory.File("control");

    /// <summary>A file or directory that ends with the agent.</summary>
    public string File(string name) => directory.File(name);

    public void WriteToken(string token) => System.IO.File.WriteAllText(TokenFile, token + "\n");

    public Task ReadyAsync() => Process.StatusAsync(_ => true);

    /// <summary>Runs thermalctl with a verb for this agent.</summary>
    public Task<ToolResult> OperateAsync(string host, params IReadOnlyList<string> arguments) =>
        OperateAsync(new Dictionary<string, string>(), host, arguments);

    public Task<ToolResult> OperateAsync(
        IReadOnlyDictionary<string, string> environment,
        string host,
        params IReadOnlyList<string> arguments
    ) => Thermalctl.Tests.OperatorProcess.RunAsync(environment, [.. arguments, "--agent", $"{host}:{Port}"]);

    public void Dispose()
    {
        Process.Dispose();
        directory.Dispose();
    }
}
