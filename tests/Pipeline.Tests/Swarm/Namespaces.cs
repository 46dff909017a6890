using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ThermalStreaming.Pipeline.Tests.Swarm;

/// <summary>
/// Namespaces for network and mounts, held by a process that ends with this one, however this one ends; and with it all that is mounted
/// there. Nothing of the machine's own network and mounts is touched.
/// </summary>
sealed partial class Namespaces : IDisposable
{
    const int NewNetwork = 0x40000000;

    readonly Process holder;

    /// <param name="script">What the shell does in them first.</param>
    public Namespaces(string script = "true")
    {
        holder = Process.Start(
            new ProcessStartInfo("unshare", ["--net", "--mount", "sh", "-c", $"{script} && echo done && exec cat"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
        )!;
        if (holder.StandardOutput.ReadLine() != "done")
            throw new InvalidOperationException("Namespaces for network and mounts cannot be made.");
    }

    /// <summary>The process in them.</summary>
    public string Holder => holder.Id.ToString(CultureInfo.InvariantCulture);

    /// <summary>The root directory, seen from outside.</summary>
    public string Root => $"/proc/{Holder}/root";

    /// <summary>Runs <c>ip</c> in them.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public async Task IpAsync(string words) =>
        (await Program.RunAsync("nsenter", ["--target", Holder, "--net", "ip", .. words.Split(' ')])).OrThrow();

    /// <summary>A client whose connections begin in them.</summary>
    public HttpClient Client() =>
        new(new SocketsHttpHandler { ConnectCallback = ConnectAsync, UseProxy = false }) { Timeout = TimeSpan.FromSeconds(20) };

    public void Dispose()
    {
        holder.StandardInput.Close();
        holder.WaitForExit();
        holder.Dispose();
    }

    async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = MakeSocket();
        try
        {
            await socket.ConnectAsync(IPAddress.Parse(context.DnsEndPoint.Host), context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A socket belongs for good to the namespace that its maker was in, here a thread that does nothing else.</summary>
    Socket MakeSocket()
    {
        Socket? socket = null;
        var error = 0;
        var maker = new Thread(() =>
        {
            using var file = File.OpenHandle($"/proc/{Holder}/ns/net");
            if (Enter(file, NewNetwork) == 0)
                socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            else
                error = Marshal.GetLastPInvokeError();
        });
        maker.Start();
        maker.Join();
        return socket
            ?? throw new IOException($"The network of process {Holder} cannot be entered: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Enter(SafeHandle file, int kind);
}
