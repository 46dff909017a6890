using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace ThermalStreaming.Containers.Tests;

/// <summary>The container engine of this machine, and what Testcontainers has to know of it before it is first used.</summary>
static class Engine
{
    /// <summary>Testcontainers asks for this version of the engine's interface unless it is told otherwise. Engine 20.10 has
    /// 1.41.</summary>
    static readonly Version asked = new(1, 44);

    const string VersionVariable = "DOCKER_API_VERSION";
    const string ReaperVariable = "TESTCONTAINERS_RYUK_DISABLED";

    /// <summary>Containers and volumes of these tests carry this label, by which <c>./test</c> finds what a crash left behind.</summary>
    public const string Label = "thermal-streaming.test";

    /// <summary>The run of the tests that a container or volume belongs to.</summary>
    public static string Run { get; } =
        Environment.GetEnvironmentVariable("THERMAL_TEST_PROJECT") ?? $"thermal-test-{Environment.ProcessId}";

    /// <summary>Skips the calling test where this user can use Docker through sudo only: Testcontainers talks to the socket
    /// itself.</summary>
    public static void SkipWithoutSocket()
    {
        if (Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } || !File.Exists(Socket))
            return;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(Socket));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            Assert.Skip(
                $"{Socket} is not for this user: join the group docker (sudo usermod -aG docker $(id -un)), or run ./test as root."
            );
        }
    }

    const string Socket = "/var/run/docker.sock";

    [ModuleInitializer]
    internal static void Prepare()
    {
        if (Environment.GetEnvironmentVariable(VersionVariable) is null && OfferedVersion() is { } offered && offered < asked)
            Environment.SetEnvironmentVariable(VersionVariable, offered.ToString());
        // The container that removes others after a crash comes from a registry.
        if (Environment.GetEnvironmentVariable(ReaperVariable) is null && Images.AreBuiltHere)
            Environment.SetEnvironmentVariable(ReaperVariable, "true");
    }

    /// <summary>The newest version of the engine's interface; null where no engine answers, which the first test will say.</summary>
    static Version? OfferedVersion()
    {
        var docker = (Environment.GetEnvironmentVariable("THERMAL_TEST_DOCKER") ?? "docker").Split(' ');
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(docker[0], [.. docker[1..], "version", "--format", "{{.Server.APIVersion}}"])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            )!;
            return Version.TryParse(process.StandardOutput.ReadToEnd().Trim(), out var version) ? version : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
