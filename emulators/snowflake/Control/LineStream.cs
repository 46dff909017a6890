using System.Buffers;
using Microsoft.AspNetCore.Http.Features;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>An NDJSON answer of unknown length, written in blocks so that a whole table never sits in memory.</summary>
sealed class LineStream : IDisposable
{
    const int Block = 256 * 1024;
    readonly HttpContext context;

    public LineStream(HttpContext context)
    {
        this.context = context;
        // Callbacks over spans decode the rows, and cannot await. So reading back blocks a thread; other calls do not.
        context.Features.Get<IHttpBodyControlFeature>()!.AllowSynchronousIO = true;
        context.Response.ContentType = "application/x-ndjson";
    }

    public ArrayBufferWriter<byte> Buffer { get; } = new(Block + 64 * 1024);

    public void EndLine()
    {
        Buffer.Write("\n"u8);
        if (Buffer.WrittenCount >= Block)
            Flush();
    }

    public void Flush()
    {
        context.RequestAborted.ThrowIfCancellationRequested();
        context.Response.Body.Write(Buffer.WrittenSpan);
        Buffer.ResetWrittenCount();
    }

    public void Dispose() => Buffer.Clear();
}
