using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ThermalStreaming.Pipeline.Tests.Swarm;

/// <summary>A test that starts Docker engines of its own in namespaces; skipped, with the reason, where that cannot be.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SwarmFactAttribute : FactAttribute
{
    static readonly string[] programs = ["dockerd", "containerd", "iptables", "ip", "nsenter", "unshare", "bash", "openssl"];
    static readonly string[] directories =
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'),
        "/usr/local/sbin",
        "/usr/sbin",
        "/sbin",
    ];

    public SwarmFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        if (!Environment.IsPrivilegedProcess)
            Skip = "It makes network namespaces and starts Docker engines in them: run it as root.";
        else if (Array.Find(programs, program => !directories.Any(at => File.Exists(Path.Combine(at, program)))) is { } missing)
            Skip = $"{missing} is not installed: apt-get install docker.io iptables iproute2 util-linux bash openssl.";
        else if (!HasOverlayNetworks())
            Skip = "The kernel has no vxlan (or no namespaces), which Docker's overlay networks are made of.";
    }

    static bool HasOverlayNetworks()
    {
        string[] words = ["--net", "ip", "link", "add", "probe", "type", "vxlan", "id", "1", "dstport", "4789"];
        using var probe = Process.Start(new ProcessStartInfo("unshare", words) { RedirectStandardError = true })!;
        probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0;
    }
}
