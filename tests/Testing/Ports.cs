using System.Net;
using System.Net.Sockets;

namespace ThermalStreaming.Testing;

/// <summary>
/// Loopback ports for servers that are started later, by this process or another. They lie below the range from which the kernel serves
/// whoever asks for just any port (ip_local_port_range, usually from 32,768 on), and no test takes one that another has taken, so each is
/// still free when it is bound.
/// </summary>
public static class Ports
{
    const int First = 15_000;
    const int Range = 15_000;

    // Open until the process ends.
    static readonly List<FileStream> held = [];

    public static int Take()
    {
        var directory = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "thermal-test-ports")).FullName;
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var port = First + Random.Shared.Next(Range);
            if (IsFree(port) && TryHold(Path.Combine(directory, $"{port}")) is { } file)
            {
                lock (held)
                    held.Add(file);
                return port;
            }
        }
        throw new InvalidOperationException($"No port from {First} to {First + Range - 1} is free.");
    }

    static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Any, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    static FileStream? TryHold(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another test has it, maybe of another user.
            return null;
        }
    }
}
