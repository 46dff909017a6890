using System.Buffers;
using System.Net;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Stands between the SDK and the network. It reads each answer to its end, up to a limit, before the SDK sees it: the SDK would read an
/// error's body synchronously, on the thread that has to deliver it, and would load an error page of any size into memory. And it passes
/// only answers that an S3 server gives: the SDK takes any 2xx for success.
/// </summary>
/// <param name="inner">The connection.</param>
/// <param name="isAmazon">Whether requests go to Amazon S3 itself, whose redirects to another region are followed.</param>
class AnswerGate(HttpMessageHandler inner, bool isAmazon) : DelegatingHandler(inner)
{
    /// <summary>S3's errors, and a list of one object, are a few KiB. Longer answers are cut here and the connection is closed.</summary>
    internal const int MostBytes = 64 * 1024;

    /// <exception cref="ForeignAnswerException">The answer is not an S3 server's.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken);
        try
        {
            // An answer to HEAD has no body, but its content headers are those of the object.
            var body = request.Method == HttpMethod.Head ? [] : await ReadAsync(answer, cancellationToken);
            answer.RequestMessage ??= request;
            if (!IsGenuine(request.Method, answer, body))
                throw ForeignAnswerException.From(answer, body);
            if (request.Method != HttpMethod.Head)
                answer.Content = Copy(answer.Content, body);
            return answer;
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    /// <summary>Whether the answer is an HTML page.</summary>
    internal static bool IsPage(HttpResponseMessage answer, ReadOnlySpan<byte> body)
    {
        var start = Start(body);
        return StartsWith(start, "<!doctype html"u8) || StartsWith(start, "<html"u8) || (!body.IsEmpty && SaysHtml(answer));
    }

    /// <summary>Whether the service itself gave this answer, rather than a proxy, portal or gateway.</summary>
    protected virtual bool IsGenuine(HttpMethod method, HttpResponseMessage answer, ReadOnlySpan<byte> body) =>
        (int)answer.StatusCode switch
        {
            >= 200 and < 300 when method == HttpMethod.Put => answer.StatusCode == HttpStatusCode.OK
                && HasETag(answer)
                && !IsPage(answer, body),
            >= 200 and < 300 when method == HttpMethod.Get => answer.StatusCode == HttpStatusCode.OK && IsGetResult(body),
            >= 200 and < 300 when method == HttpMethod.Head => answer.StatusCode == HttpStatusCode.OK
                && (IsAmz(answer) || !SaysHtml(answer)),
            >= 200 and < 300 => !IsPage(answer, body),
            >= 300 and < 400 => IsOwnRedirect(method, answer, body),
            // An error without a body is believed if the protocol has no body, if nothing is concluded from it, or if the store has signed
            // it.
            _ => IsXml(body, "<Error"u8) || (body.IsEmpty && (method == HttpMethod.Head || (int)answer.StatusCode >= 500 || IsAmz(answer))),
        };

    /// <summary>The results that this service and its <c>check</c> request: a list, or a property of the bucket.</summary>
    static bool IsGetResult(ReadOnlySpan<byte> body) =>
        IsXml(body, "<ListBucketResult"u8)
        || IsXml(body, "<NotificationConfiguration"u8)
        || IsXml(body, "<VersioningConfiguration"u8)
        || IsXml(body, "<ServerSideEncryptionConfiguration"u8)
        || IsXml(body, "<LifecycleConfiguration"u8)
        || IsXml(body, "<ObjectLockConfiguration"u8);

    /// <summary>S3 redirects only to the region of a bucket. The SDK follows only 307.</summary>
    bool IsOwnRedirect(HttpMethod method, HttpResponseMessage answer, ReadOnlySpan<byte> body)
    {
        if (answer.Headers.Location is { } location && !(isAmazon && location.IsAbsoluteUri && IsAmazonHost(location)))
            return false;
        return IsXml(body, "<Error"u8) || answer.Headers.Contains("x-amz-bucket-region") || (method == HttpMethod.Head && IsAmz(answer));
    }

    static bool IsAmazonHost(Uri location) =>
        location.Scheme == Uri.UriSchemeHttps
        && (
            location.Host.EndsWith(".amazonaws.com", StringComparison.OrdinalIgnoreCase)
            || location.Host.EndsWith(".amazonaws.com.cn", StringComparison.OrdinalIgnoreCase)
        );

    static bool HasETag(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("ETag", out var values) && values.Any(value => value.Trim('"').Length > 0);

    static bool IsAmz(HttpResponseMessage answer) =>
        answer.Headers.Any(header => header.Key.StartsWith("x-amz", StringComparison.OrdinalIgnoreCase));

    /// <summary>By its content type, which some servers also set without content.</summary>
    internal static bool SaysHtml(HttpResponseMessage answer) =>
        answer.Content.Headers.TryGetValues("Content-Type", out var types)
        && types.Any(type => type.Contains("html", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a body is XML whose root element begins with this text.</summary>
    protected static bool IsXml(ReadOnlySpan<byte> body, ReadOnlySpan<byte> root)
    {
        var rest = Start(body);
        if (rest.StartsWith("<?xml"u8) && rest.IndexOf("?>"u8) is >= 0 and var end)
            rest = Start(rest[(end + 2)..]);
        return rest.StartsWith(root) && body.Length <= MostBytes;
    }

    /// <summary>A body without byte order mark and leading white space.</summary>
    static ReadOnlySpan<byte> Start(ReadOnlySpan<byte> body)
    {
        if (body.StartsWith("\uFEFF"u8))
            body = body[3..];
        return body.TrimStart(" \t\r\n"u8);
    }

    static bool StartsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lowerCase) =>
        text.Length >= lowerCase.Length && System.Text.Ascii.EqualsIgnoreCase(text[..lowerCase.Length], lowerCase);

    /// <summary>At most one byte more than <see cref="MostBytes"/>; the extra byte shows that there was more.</summary>
    static async Task<byte[]> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (answer.Content.Headers.ContentLength == 0)
            return [];
        var buffer = ArrayPool<byte>.Shared.Rent(MostBytes + 1);
        try
        {
            await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
            var length = await stream.ReadAtLeastAsync(
                buffer.AsMemory(0, MostBytes + 1),
                MostBytes + 1,
                throwOnEndOfStream: false,
                cancellationToken
            );
            return buffer[..length];
        }
        catch (IOException e)
        {
            // Do not pass it on as it is: the SDK would take it for a stale connection, and repeat the upload a dozen times at once.
            throw new HttpRequestException(
                HttpRequestError.ResponseEnded,
                $"the answer ({(int)answer.StatusCode}) was cut off: {e.Message}"
            );
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    static ByteArrayContent Copy(HttpContent from, byte[] body)
    {
        var content = new ByteArrayContent(body);
        foreach (var (name, values) in from.Headers)
        {
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                content.Headers.TryAddWithoutValidation(name, values);
        }
        from.Dispose();
        return content;
    }
}
