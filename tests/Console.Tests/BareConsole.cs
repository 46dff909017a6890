using ThermalStreaming.Testing;

namespace ThermalStreaming.Console.Tests;

/// <summary>A console with nothing to look at, for the tests of a class.</summary>
public sealed class BareConsole : IAsyncLifetime
{
    readonly TempDirectory directory = new();

    internal ConsoleProcess Process { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Process = new ConsoleProcess(directory.Path, 1, ("CONSOLE_HOSTS", "wall.example, Panel"));
        await Process.ReadyAsync();
    }

    public ValueTask DisposeAsync()
    {
        Process.Dispose();
        directory.Dispose();
        return ValueTask.CompletedTask;
    }
}
