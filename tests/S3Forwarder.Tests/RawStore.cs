using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>
/// The part of S3 that an upload needs, on a bare socket: it can take an answer apart, cut it off or make it endless, and it keeps next to
/// nothing of what it receives. One bucket, whatever its name.
/// </summary>
sealed class RawStore : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource end = new();
    readonly ConcurrentDictionary<Task, bool> connections = new();
    readonly ConcurrentDictionary<string, Stored> objects = new();
    readonly Task accepting;
    int puts;

    public RawStore()
    {
        listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Decides on each PUT by its number, from 1; null stores it and says so.</summary>
    public Func<int, RawAnswer?> Script { get; set; } = _ => null;

    /// <summary>Bytes per second that are read from a connection; null: as fast as they come.</summary>
    public int? Throttle { get; set; }

    public int Puts => Volatile.Read(ref puts);

    /// <summary>Rows of all objects.</summary>
    public long Rows => objects.Values.Sum(stored => stored.Rows);

    public int Objects => objects.Count;

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(connections.Keys);
        end.Dispose();
    }

    async Task AcceptAsync()
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptTcpClientAsync(end.Token);
                var serving = ServeAsync(client);
                connections[serving] = true;
                _ = serving.ContinueWith(done => connections.TryRemove(done, out _), TaskScheduler.Default);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                return;
            }
        }
    }

    async Task ServeAsync(TcpClient client)
    {
        using var connection = client;
        try
        {
            var stream = client.GetStream();
            while (await ReadHeadAsync(stream) is { } head && await AnswerAsync(stream, head)) { }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // The client went away, or the test is over.
        }
    }

    /// <summary>False when the connection is to be closed.</summary>
    async Task<bool> AnswerAsync(NetworkStream stream, Head head)
    {
        if (head.Method != "PUT")
        {
            await WriteAsync(stream, Other(head));
            return true;
        }
        if (head.Headers.ContainsKey("expect"))
            await WriteAsync(stream, "HTTP/1.1 100 Continue\r\n\r\n");
        var stored = await ReceiveAsync(stream, head);
        var answer = Script(Interlocked.Increment(ref puts));
        if (answer is null or { Stores: true } && !objects.TryAdd(head.Path, stored))
            answer ??= RawAnswer.Error(412, "PreconditionFailed");
        if (answer is null)
        {
            await WriteAsync(stream, $"HTTP/1.1 200 OK\r\nETag: \"{stored.Md5}\"\r\nContent-Length: 0\r\n\r\n");
            return true;
        }
        await WriteAsync(stream, $"{answer.Head}\r\n\r\n");
        if (answer.Pause > TimeSpan.Zero)
            await Task.Delay(answer.Pause, TimeProvider.System, end.Token);
        await WriteAsync(stream, answer.Body);
        var padding = new byte[64 * 1024];
        Array.Fill(padding, (byte)'x');
        for (var left = answer.Padding; left > 0; left -= padding.Length)
            await stream.WriteAsync(padding.AsMemory(0, (int)Math.Min(left, padding.Length)), end.Token);
        return !answer.Cut;
    }

    string Other(Head head)
    {
        if (head.Method == "GET")
        {
            const string list = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
            return $"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {list.Length}\r\n\r\n{list}";
        }
        if (head.Path.Trim('/').IndexOf('/', StringComparison.Ordinal) < 0)
            return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-amz-bucket-region: us-east-1\r\n\r\n";
        return objects.TryGetValue(head.Path, out var found)
            ? $"HTTP/1.1 200 OK\r\nETag: \"{found.Md5}\"\r\nContent-Length: {found.Length}\r\n{found.Metadata}\r\n"
            : "HTTP/1.1 404 Not Found\r\nx-amz-request-id: 4442587FB7D0A2F9\r\nContent-Length: 0\r\n\r\n";
    }

    async Task<Stored> ReceiveAsync(NetworkStream stream, Head head)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        var length = long.Parse(head.Headers["content-length"], CultureInfo.InvariantCulture);
        var buffer = new byte[16 * 1024];
        var rows = 0L;
        for (var left = length; left > 0; )
        {
            var count = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), end.Token);
            if (count == 0)
                throw new IOException("cut off");
            md5.AppendData(buffer.AsSpan(0, count));
            rows += buffer.AsSpan(0, count).Count((byte)'\n');
            left -= count;
            if (Throttle is { } perSecond)
                await Task.Delay(TimeSpan.FromSeconds(count / (double)perSecond), TimeProvider.System, end.Token);
        }
        var metadata = string.Concat(
            head.Headers.Where(header => header.Key.StartsWith("x-amz-meta-", StringComparison.Ordinal))
                .Select(header => $"{header.Key}: {header.Value}\r\n")
        );
        return new Stored(length, Convert.ToHexStringLower(md5.GetHashAndReset()), metadata, rows);
    }

    async Task<Head?> ReadHeadAsync(NetworkStream stream)
    {
        var bytes = new List<byte>();
        var one = new byte[1];
        while (!(bytes.Count >= 4 && bytes[^1] == '\n' && bytes[^3] == '\n'))
        {
            if (await stream.ReadAsync(one, end.Token) == 0)
                return null;
            bytes.Add(one[0]);
        }
        var lines = Encoding.ASCII.GetString([.. bytes]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var request = lines[0].Split(' ');
        var headers = lines
            .Skip(1)
            .Select(line => line.Split(": ", 2))
            .ToDictionary(pair => pair[0].ToLowerInvariant(), pair => pair.Length > 1 ? pair[1] : "");
        return new Head(request[0], request[1].Split('?')[0], headers);
    }

    Task WriteAsync(NetworkStream stream, string text) => stream.WriteAsync(Encoding.ASCII.GetBytes(text), end.Token).AsTask();

    sealed record Head(string Method, string Path, Dictionary<string, string> Headers);

    sealed record Stored(long Length, string Md5, string Metadata, long Rows);
}
