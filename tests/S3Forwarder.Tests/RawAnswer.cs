namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>Bytes that <see cref="RawStore"/> answers with instead of its own.</summary>
/// <param name="Head">Status line and headers, without the empty line.</param>
/// <param name="Body">What follows.</param>
sealed record RawAnswer(string Head, string Body = "")
{
    /// <summary>How long the server takes between the headers and the body.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>Bytes of 'x' after the body.</summary>
    public long Padding { get; init; }

    /// <summary>Whether the object is stored all the same.</summary>
    public bool Stores { get; init; }

    /// <summary>Cut the connection after the body.</summary>
    public bool Cut { get; init; }

    /// <summary>S3's error.</summary>
    public static RawAnswer Error(int status, string code, TimeSpan pause = default, bool stores = false)
    {
        var body =
            $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>as "
            + "scripted</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>";
        return new RawAnswer(
            $"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {body.Length}\r\nx-amz-request-id: "
                + "4442587FB7D0A2F9",
            body
        )
        {
            Pause = pause,
            Stores = stores,
        };
    }
}
