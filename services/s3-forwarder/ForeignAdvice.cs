using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Explains answers that are not an S3 server's.</summary>
static class ForeignAdvice
{
    /// <summary>
    /// Always a transient failure: the readings stay here, and the proxy or portal that answers instead of the store may stop doing so.
    /// </summary>
    public static S3Problem Explain(ForeignAnswerException e, string what, S3Options options)
    {
        var host = e.Asked.Authority;
        var (cause, fix) = (int)e.Status switch
        {
            >= 300 and < 400 => Redirect(e, host, options),
            407 or 511 => ($"a proxy or portal before {host} asks for a login", Untouched(host)),
            413 => (
                $"a proxy or gateway before {host} takes only small requests",
                "raise its limit (nginx: client_max_body_size), or lower S3_BATCH_MAX_BYTES or raise NUM_FILES"
            ),
            429 or 408 => ($"a proxy or gateway before {host} wants fewer or faster requests", ""),
            >= 500 => ($"a gateway before {host} answers in place of the store", ""),
            401 or 403 => ($"a proxy, firewall or gateway before {host} refuses, not the store", Untouched(host)),
            404 or 405 when options.Endpoint is not null => (
                $"{host} is a web server, not an S3 server",
                $"correct S3_ENDPOINT_URL ({options.Endpoint.AbsoluteUri}): the S3 port is often not the console's port"
            ),
            200 when !e.IsPage => (
                "the answer lacks the ETag that S3 sends with 200: a proxy or gateway answers in place of the store, or removes the ETag",
                Untouched(host)
            ),
            _ => (
                $"this is not an S3 server's answer: a captive portal, a login page or a proxy answers in place of {host}, or the address "
                    + "is not an S3 server's",
                Untouched(host)
            ),
        };
        return new S3Problem(SinkFailure.Transient, $"{what}: {e.Message}", cause, fix, e.RetryAfter);
    }

    static (string Cause, string Fix) Redirect(ForeignAnswerException e, string host, S3Options options)
    {
        if (
            e.Location is { } to
            && options.Endpoint is not null
            && to.Host.Equals(e.Asked.Host, StringComparison.OrdinalIgnoreCase)
            && to.Authority + to.Scheme != e.Asked.Authority + e.Asked.Scheme
        )
            return ($"{host} redirects to another scheme or port", $"set S3_ENDPOINT_URL={to.GetLeftPart(UriPartial.Authority)}");
        return (
            $"a login page, portal or gateway answers in place of {host} and redirects requests elsewhere; readings are not sent there",
            Untouched(host)
        );
    }

    static string Untouched(string host) =>
        $"log in to the network, or let {host} pass untouched (proxy exceptions, NO_PROXY); if the address is wrong, correct "
        + "S3_ENDPOINT_URL or AWS_REGION";
}
