using System.IO.Compression;
using System.Security.Cryptography;

namespace ThermalStreaming.Console;

/// <summary>The files of the page, which are part of the program. Thread-safe.</summary>
sealed class WebFiles
{
    /// <summary>Nearly as small as the best quality, with a window that takes a fraction of its memory.</summary>
    const int BrotliQuality = 9,
        BrotliWindow = 16;

    readonly Dictionary<string, WebFile> files = new(StringComparer.Ordinal);

    public WebFiles()
    {
        var assembly = typeof(WebFiles).Assembly;
        foreach (var name in assembly.GetManifestResourceNames())
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            files[name == "index.html" ? "/" : $"/{name}"] = new WebFile(
                TypeOf(name),
                $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8))}\"",
                content,
                Brotli(content),
                Gzip(content)
            );
        }
    }

    /// <summary>Answers with a file; false if there is none at this path.</summary>
    public async Task<bool> ServeAsync(HttpContext context, string path)
    {
        if (!files.TryGetValue(path, out var file))
            return false;
        var (request, response) = (context.Request, context.Response);
        response.Headers.ETag = file.Tag;
        response.Headers.Vary = "Accept-Encoding";
        // Browsers ask again each time and get 304 while the file is unchanged: an update shows at once.
        response.Headers.CacheControl = "no-cache";
        if (request.Headers.IfNoneMatch.Any(tags => tags?.Contains(file.Tag, StringComparison.Ordinal) == true))
        {
            response.StatusCode = 304;
            return true;
        }
        var accepted = request.Headers.AcceptEncoding.ToString();
        var (encoding, body) =
            accepted.Contains("br", StringComparison.OrdinalIgnoreCase) ? ("br", file.Brotli)
            : accepted.Contains("gzip", StringComparison.OrdinalIgnoreCase) ? ("gzip", file.Gzip)
            : ("", file.Plain);
        if (encoding.Length > 0)
            response.Headers.ContentEncoding = encoding;
        response.ContentType = file.ContentType;
        response.ContentLength = body.Length;
        if (HttpMethods.IsGet(request.Method))
            await response.Body.WriteAsync(body, context.RequestAborted);
        return true;
    }

    static string TypeOf(string name) =>
        Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => "application/octet-stream",
        };

    static byte[] Brotli(byte[] content)
    {
        var compressed = new byte[BrotliEncoder.GetMaxCompressedLength(content.Length)];
        return BrotliEncoder.TryCompress(content, compressed, out var length, BrotliQuality, BrotliWindow) ? compressed[..length] : content;
    }

    static byte[] Gzip(byte[] content)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize))
            gzip.Write(content);
        return compressed.ToArray();
    }
}
