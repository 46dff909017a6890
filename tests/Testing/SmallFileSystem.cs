using System.Diagnostics;

namespace ThermalStreaming.Testing;

/// <summary>A tmpfs of its own, mounted by a process in a mount namespace of its own; its end is the end of the file system.</summary>
public sealed class SmallFileSystem : IDisposable
{
    readonly string mountPoint;
    readonly Process holder;

    public SmallFileSystem(string path, int megabytes)
    {
        mountPoint = path;
        Directory.CreateDirectory(path);
        // With CAP_SYS_ADMIN without further ado, else as root of a user namespace.
        var mount = $"mount -t tmpfs -o size={megabytes}m tmpfs '{path}' && echo done && exec sh";
        var script = $"unshare -m true 2>/dev/null && exec unshare -m sh -c \"{mount}\"; exec unshare -Ur -m sh -c \"{mount}\"";
        holder = Process.Start(
            new ProcessStartInfo("sh", ["-c", script])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        if (holder.StandardOutput.ReadLine() != "done")
            throw new InvalidOperationException($"A small tmpfs cannot be mounted: {holder.StandardError.ReadToEnd()}");
        Path = $"/proc/{holder.Id}/root{path}";
    }

    /// <summary>Seen from outside of the namespace.</summary>
    public string Path { get; }

    /// <summary>Makes the file system read-only, or writable again. Fails while a file is open for writing.</summary>
    public bool TryRemount(bool readOnly)
    {
        holder.StandardInput.WriteLine($"mount -o remount,{(readOnly ? "ro" : "rw")} '{mountPoint}' && echo done || echo refused");
        holder.StandardInput.Flush();
        return holder.StandardOutput.ReadLine() == "done";
    }

    /// <summary>Writes a file that leaves no byte free, and returns its path.</summary>
    public string Fill()
    {
        var ballast = System.IO.Path.Combine(Path, "ballast");
        using var file = new FileStream(ballast, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        for (var size = 64 * 1024; size > 0; )
        {
            try
            {
                file.Write(new byte[size]);
            }
            catch (IOException)
            {
                size /= 2;
            }
        }
        return ballast;
    }

    public void Dispose()
    {
        holder.StandardInput.Close();
        holder.WaitForExit();
        holder.Dispose();
    }
}
