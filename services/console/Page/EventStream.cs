using System.Buffers;

namespace ThermalStreaming.Console;

/// <summary>
/// <c>/events</c>: server-sent events for at most 32 pages. The first event holds all sections, each later one those that changed. The time
/// changes every second, so a page that receives nothing for some seconds knows that the connection is lost. Thread-safe.
/// </summary>
sealed class EventStream(Sections sections, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    public const int MostWatchers = 32;

    /// <summary>A page that reads nothing for this long is disconnected; it reconnects by itself.</summary>
    static readonly TimeSpan patience = TimeSpan.FromSeconds(10);

    int watchers;

    /// <summary>Number of open pages.</summary>
    public int Watchers => Volatile.Read(ref watchers);

    public async Task ServeAsync(HttpContext context)
    {
        if (Interlocked.Increment(ref watchers) > MostWatchers)
        {
            Interlocked.Decrement(ref watchers);
            context.Response.Headers.RetryAfter = "10";
            await Reply.TextAsync(context, 503, $"{MostWatchers} pages are open already; close one.");
            return;
        }
        try
        {
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-store";
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            await WriteAllAsync(context.Response, stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The page was closed, or the console is stopping.
            context.Abort();
        }
        finally
        {
            Interlocked.Decrement(ref watchers);
        }
    }

    async Task WriteAllAsync(HttpResponse response, CancellationToken stop)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var sent = 0L;
        // The current sections may be older than this page.
        await sections.Next.WaitAsync(stop);
        while (true)
        {
            var next = sections.Next;
            buffer.ResetWrittenCount();
            buffer.Write(sent == 0 ? "event: all\ndata: "u8 : "event: change\ndata: "u8);
            sent = sections.Write(sent, buffer) ?? throw new OperationCanceledException();
            buffer.Write("\n\n"u8);
            using (var timeout = new CancellationTokenSource(patience, clock))
            using (var both = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token))
            {
                await response.Body.WriteAsync(buffer.WrittenMemory, both.Token);
                await response.Body.FlushAsync(both.Token);
            }
            await next.WaitAsync(stop);
        }
    }
}
