using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ThermalStreaming.Testing;

/// <summary>A test that mounts a file system; skipped, with the reason, where that is not allowed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MountFactAttribute : FactAttribute
{
    static readonly Lazy<bool> canMount = new(() =>
    {
        using var probe = Process.Start(
            new ProcessStartInfo(
                "sh",
                ["-c", "unshare -m mount -t tmpfs tmpfs /mnt 2>/dev/null || unshare -Ur -m mount -t tmpfs tmpfs /mnt"]
            )
            {
                RedirectStandardError = true,
            }
        )!;
        probe.WaitForExit();
        return probe.ExitCode == 0;
    });

    public MountFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        if (!canMount.Value)
            Skip =
                "It mounts a small tmpfs: run it as root with CAP_SYS_ADMIN, or where user namespaces are allowed (unshare -Ur -m true).";
    }
}
