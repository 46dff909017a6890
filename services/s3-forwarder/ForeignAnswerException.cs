using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// An HTTP answer that no S3 server gives: it came from something between this machine and the store, or the address is not a store's.
/// </summary>
sealed class ForeignAnswerException : Exception
{
    const int MostWords = 160;

    ForeignAnswerException(string message)
        : base(message) { }

    public required HttpStatusCode Status { get; init; }

    /// <summary>Host and scheme of the request.</summary>
    public required Uri Asked { get; init; }

    /// <summary>Where the answer points to, if it does.</summary>
    public Uri? Location { get; private init; }

    /// <summary>The wait that the answer asks for, if it does.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>Whether the answer is an HTML page.</summary>
    public bool IsPage { get; private init; }

    public static ForeignAnswerException From(HttpResponseMessage answer, ReadOnlySpan<byte> body)
    {
        var asked = answer.RequestMessage!.RequestUri!;
        var location = answer.Headers.Location is { } to
            ? to.IsAbsoluteUri
                ? to
                : new Uri(asked, to)
            : null;
        return new ForeignAnswerException(Describe(answer, location, body))
        {
            Status = answer.StatusCode,
            Asked = asked,
            Location = location,
            RetryAfter = RetryAfterOf(answer.Headers.RetryAfter, answer.Headers.Date),
            IsPage = AnswerGate.IsPage(answer, body) || AnswerGate.SaysHtml(answer),
        };
    }

    /// <summary>For example: <c>200 OK, text/html, Server: squid/5.7, Via: 1.1 proxy, "Please log in"</c>.</summary>
    static string Describe(HttpResponseMessage answer, Uri? location, ReadOnlySpan<byte> body)
    {
        var text = new StringBuilder();
        text.Append((int)answer.StatusCode);
        if (!string.IsNullOrEmpty(answer.ReasonPhrase))
            text.Append(' ').Append(PlainText.OneLine(answer.ReasonPhrase, 40));
        if (answer.Content.Headers.TryGetValues("Content-Type", out var types))
            text.Append(", ").Append(PlainText.OneLine(string.Join(' ', types), 60));
        foreach (var name in (ReadOnlySpan<string>)["Server", "Via"])
        {
            if (answer.Headers.TryGetValues(name, out var values))
                text.Append(CultureInfo.InvariantCulture, $", {name}: {PlainText.OneLine(string.Join(", ", values), 80)}");
        }
        if (location is not null)
            text.Append(CultureInfo.InvariantCulture, $", Location: {PlainText.OneLine(location.GetLeftPart(UriPartial.Path), 120)}");
        if (!body.IsEmpty)
            text.Append(CultureInfo.InvariantCulture, $", \"{PlainText.FirstWords(body, MostWords)}\"");
        return text.ToString();
    }

    internal static TimeSpan? RetryAfterOf(RetryConditionHeaderValue? header, DateTimeOffset? now) =>
        header switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } when now is not null && date > now => date - now,
            _ => null,
        };
}
