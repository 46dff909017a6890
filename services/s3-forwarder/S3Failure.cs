using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Explains an exception of the S3 client: the request, the answer in the store's own words, and what a person can do about it.
/// </summary>
static class S3Failure
{
    /// <summary>Most characters of the store's words that are shown.</summary>
    const int MostWords = 500;

    /// <param name="e">The client's exception. Connection failures arrive as HttpRequestException, not as a service's exception.</param>
    /// <param name="what">The request, for example <c>PUT s3://bucket/key</c>.</param>
    /// <param name="options">For the advice.</param>
    public static SinkException Translate(Exception e, string what, S3Options options) =>
        e as SinkException ?? Explain(e, what, options).ToException(e);

    /// <inheritdoc cref="Translate"/>
    public static S3Problem Explain(Exception e, string what, S3Options options) =>
        e switch
        {
            SinkException own => new S3Problem(own.Failure, own.Message, RetryAfter: own.RetryAfter),
            ForeignAnswerException foreign => ForeignAdvice.Explain(foreign, what, options),
            AmazonServiceException service => FromAnswer(service, what, options),
            AmazonClientException client => FromCredentials(client, options),
            _ => FromNetwork(e, what, options),
        };

    /// <summary>Whether a refusal can mean a wrong bucket or prefix, rather than that the right one refuses for now.</summary>
    public static bool BlamesDestination(SinkException e) =>
        e.Failure == SinkFailure.NeedsOperator
        && e.InnerException
            is AmazonServiceException
            {
                ErrorCode: "NoSuchBucket" or "InvalidBucketName" or "PermanentRedirect" or "AllAccessDisabled" or "AccessDenied"
            } answer
        && !answer.Message.Contains("kms:", StringComparison.OrdinalIgnoreCase);

    /// <summary>Enough of a key id to recognise it.</summary>
    public static string Masked(string? keyId) => keyId is { Length: > 8 } ? $"{keyId[..4]}…{keyId[^4..]}" : "in use";

    /// <summary>The keys could not be obtained: the request to the store was not sent.</summary>
    static S3Problem FromCredentials(AmazonClientException e, S3Options options)
    {
        var what = $"credentials, {PlainText.OneLine(e.Message, MostWords)}";
        switch (e.InnerException)
        {
            case AmazonServiceException answer:
                var said = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{what}: {(int)answer.StatusCode} {PlainText.OneLine(answer.ErrorCode ?? "", 80)} \"{Words(answer)}\""
                );
                var role = options.Credentials.Role?.Arn ?? "the profile's role";
                return StsAdvice.For(answer, role, options.Credentials) is { } advice
                    ? new S3Problem(SinkFailure.NeedsOperator, said, advice.Cause, advice.Fix)
                    : new S3Problem(SinkFailure.Transient, said);
            case ForeignAnswerException foreign:
                return ForeignAdvice.Explain(foreign, what, options);
            case HttpRequestException or TimeoutException or OperationCanceledException or IOException:
                return new S3Problem(
                    SinkFailure.Transient,
                    $"{what}: {PlainText.OneLine(e.InnerException.GetBaseException().Message, MostWords)}"
                );
            default:
                return new S3Problem(
                    SinkFailure.NeedsOperator,
                    $"{what}: no usable credentials ({options.Credentials.Description})",
                    Fix: "name a credentials file (AWS_CREDENTIALS_PATH), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a "
                        + "role is attached"
                );
        }
    }

    static S3Problem FromAnswer(AmazonServiceException e, string what, S3Options options)
    {
        var status = (int)e.StatusCode;
        // HEAD has no body, so the client uses the status as the code.
        var code = string.IsNullOrEmpty(e.ErrorCode) ? e.StatusCode.ToString() : PlainText.OneLine(e.ErrorCode, 80);
        var words = Words(e);
        var answer = string.Create(CultureInfo.InvariantCulture, $"{what}: {status} {code}{(words.Length > 0 ? $" \"{words}\"" : "")}");
        if (S3Advice.For(e, code, status, words, options) is { } advice)
            return new S3Problem(SinkFailure.NeedsOperator, answer, advice.Cause, advice.Fix);
        var retryAfter = (e.InnerException as HttpErrorResponseException)?.Response.GetHeaderValue("Retry-After");
        return new S3Problem(
            SinkFailure.Transient,
            answer,
            RetryAfter: int.TryParse(retryAfter, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                ? TimeSpan.FromSeconds(seconds)
                : null
        );
    }

    /// <summary>The Message in S3's answer; empty if there was none and the client made one up.</summary>
    static string Words(AmazonServiceException e)
    {
        var words = PlainText.OneLine(e.Message ?? "", MostWords);
        return
            words.StartsWith("Error making request with Error Code", StringComparison.Ordinal)
            || words.StartsWith("The service returned an error with", StringComparison.Ordinal)
            ? ""
            : words;
    }

    static S3Problem FromNetwork(Exception e, string what, S3Options options)
    {
        var root = e;
        while (root.InnerException is { } inner && root is not (SocketException or AuthenticationException))
            root = inner;
        var host = options.Address.Authority;
        var words = PlainText.OneLine(root.Message, MostWords);
        return root switch
        {
            AuthenticationException => new S3Problem(
                SinkFailure.NeedsOperator,
                $"{what}: the certificate of {host} is not trusted ({words})",
                "something between here and the store inspects TLS, or the store's certificate is private, expired or for another name",
                options.Endpoint is null
                    ? "let the host pass the proxy without inspection, or install the issuer's certificate on this machine"
                    : "install the issuer's certificate, or correct S3_ENDPOINT_URL"
            ),
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => Transient(
                "its name does not resolve; is there a network, is DNS working, is AWS_REGION or S3_ENDPOINT_URL right?"
            ),
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => Transient(
                "connection refused; is the server running, is the port right?"
            ),
            TimeoutException => Transient(words),
            OperationCanceledException => Transient("no answer in time"),
            HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } => Transient(
                "the connection was cut in the middle of the answer"
            ),
            _ when e is HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError } => Transient(
                $"{words}; the proxy of HTTPS_PROXY refuses: does it want a user name, or should NO_PROXY name the host?"
            ),
            _ => Transient(words),
        };

        S3Problem Transient(string why) => new(SinkFailure.Transient, $"{what}: {host}: {why}");
    }
}
