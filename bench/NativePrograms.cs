using System.Diagnostics;

namespace ThermalStreaming.Bench;

/// <summary>The programs under test, compiled as the Dockerfile does it.</summary>
static class NativePrograms
{
    /// <summary>Compiles forwarder and emulator.</summary>
    /// <exception cref="InvalidOperationException">One was not compiled; the compiler has said why.</exception>
    public static async Task CompileAsync(string root)
    {
        foreach (var project in new[] { "services/snowpipe-forwarder", "emulators/snowflake" })
        {
            Console.Error.WriteLine($"compiling {project} natively, a minute or two");
            using var compiler = Process.Start(
                new ProcessStartInfo(Path.Combine(root, "services/publish.sh"), [project, $"artifacts/native/{Path.GetFileName(project)}"])
                {
                    WorkingDirectory = root,
                }
            )!;
            await compiler.WaitForExitAsync();
            if (compiler.ExitCode != 0)
                throw new InvalidOperationException($"{project} was not compiled");
        }
    }
}
