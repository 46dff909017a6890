using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads the body of insertFiles: JSON, or one path per line.</summary>
static class FilesToLoad
{
    public const int MostFiles = 5000;
    public const int MostPathBytes = 1024;

    // The most files with the longest paths, every character escaped.
    const int MostBytes = 64 * 1024 * 1024;

    static readonly UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <returns>The paths, each once.</returns>
    /// <exception cref="RefusedException">The body is not understood, or is over a limit.</exception>
    public static async Task<IReadOnlyList<string>> ReadAsync(HttpRequest request, CancellationToken stop)
    {
        using var body = new MemoryStream();
        var block = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(block, stop)) > 0; )
        {
            body.Write(block, 0, read);
            if (body.Length > MostBytes)
                throw FileRefusal.Bad($"The body is longer than {MostBytes} bytes.");
        }
        var bytes = body.GetBuffer().AsMemory(0, (int)body.Length);
        var type = (request.ContentType ?? "").Split(';')[0].Trim();
        var paths =
            type.Equals("text/plain", StringComparison.OrdinalIgnoreCase) ? Lines(bytes)
            : type.Equals("application/json", StringComparison.OrdinalIgnoreCase) ? Json(bytes)
            : throw FileRefusal.Bad($"Content-Type is '{type}'; it must be application/json or text/plain.");
        if (paths.Count == 0)
            throw FileRefusal.Bad("The body names no file.");
        if (paths.Count > MostFiles)
            throw FileRefusal.Bad($"The body names {paths.Count} files; {MostFiles} are allowed.");
        foreach (var path in paths)
        {
            if (path.Length == 0)
                throw FileRefusal.Bad("A path is empty.");
            if (Encoding.UTF8.GetByteCount(path) > MostPathBytes)
                throw FileRefusal.Bad($"A path is longer than {MostPathBytes} bytes: {path[..40]}…");
        }
        return [.. paths.Distinct(StringComparer.Ordinal)];
    }

    static List<string> Lines(ReadOnlyMemory<byte> body)
    {
        try
        {
            return [.. utf8.GetString(body.Span).Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0)];
        }
        catch (DecoderFallbackException)
        {
            throw FileRefusal.Bad("The body is not UTF-8.");
        }
    }

    static List<string> Json(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return [.. json.RootElement.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("path").GetString() ?? "")];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw FileRefusal.Bad("""The body must be {"files":[{"path":"…","size":…},…]}.""");
        }
    }
}
