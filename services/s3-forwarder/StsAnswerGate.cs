namespace ThermalStreaming.S3Forwarder;

/// <summary>The same as <see cref="AnswerGate"/> before STS, whose answers are XML: results, or errors in its own envelope.</summary>
sealed class StsAnswerGate(HttpMessageHandler inner) : AnswerGate(inner, isAmazon: true)
{
    protected override bool IsGenuine(HttpMethod method, HttpResponseMessage answer, ReadOnlySpan<byte> body) =>
        (int)answer.StatusCode switch
        {
            200 => IsXml(body, "<AssumeRole"u8) || IsXml(body, "<GetCallerIdentityResponse"u8),
            >= 200 and < 400 => false,
            >= 500 when body.IsEmpty => true,
            _ => IsXml(body, "<ErrorResponse"u8),
        };
}
