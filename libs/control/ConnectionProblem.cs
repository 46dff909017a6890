using System.Security.Authentication;
using Grpc.Core;

namespace ThermalStreaming.Control;

/// <summary>
/// An encryption problem because of which no call reached a control service: its certificate is not accepted, or only one of the two sides
/// speaks TLS.
/// </summary>
/// <param name="What">What happened: a sentence without its subject and full stop.</param>
/// <param name="Fix">What to do.</param>
public sealed record ConnectionProblem(string What, string Fix)
{
    /// <summary>Null if the call failed for another reason.</summary>
    /// <param name="e">The exception that ended the call.</param>
    /// <param name="usesTls">Whether the client uses TLS.</param>
    public static ConnectionProblem? Of(RpcException e, bool usesTls)
    {
        if (Causes(e).OfType<ControlCertificateException>().FirstOrDefault() is { } refused)
            return new($"is not trusted: {refused.Problem.What}", Cure(refused.Problem.Kind));
        if (usesTls && Causes(e).Any(IsTlsFailure))
        {
            return new(
                "does not answer with TLS",
                "the service has GRPC_TLS=false, or the port belongs to another program: set GRPC_TLS=true there, or leave out "
                    + "--tls, --ca and THERMAL_CA_FILE (of the console: CONSOLE_TLS) within the project's network"
            );
        }
        // Not a lost connection, which is another error: the first bytes were not HTTP/2.
        if (!usesTls && Causes(e).OfType<HttpRequestException>().Any(cause => cause.HttpRequestError == HttpRequestError.InvalidResponse))
        {
            return new(
                "takes the connection but does not answer without TLS",
                "the service has GRPC_TLS=true, or the port belongs to another program: use --ca FILE with the authority of its "
                    + "certificate (of the console: CONSOLE_TLS=true and CONSOLE_CA_FILE)"
            );
        }
        return null;
    }

    static IEnumerable<Exception> Causes(Exception e)
    {
        for (var cause = e.InnerException; cause is not null; cause = cause.InnerException)
            yield return cause;
    }

    static bool IsTlsFailure(Exception e) =>
        e is AuthenticationException || e is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError };

    static string Cure(ServerCertificateFault fault) =>
        fault switch
        {
            ServerCertificateFault.Expired =>
                "put a new certificate and its key into the files that GRPC_TLS_CERTIFICATE_FILE and GRPC_TLS_KEY_FILE name: the "
                    + "service reads them without a restart. If it has not expired, this machine's clock is wrong: timedatectl",
            ServerCertificateFault.OtherName =>
                "use one of these names, or say which one is expected: --tls-name NAME (of the console: CONSOLE_TLS_NAME)",
            _ => "name the authority that signed the service's certificate: --ca FILE (of the console: CONSOLE_CA_FILE). If it is the "
                + "right one, another server answers in place of the service",
        };
}
