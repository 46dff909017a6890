using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ThermalStreaming.Control;

/// <summary>A problem with a server's certificate: <see cref="SslStream"/> names an error, this names cause and fix.</summary>
/// <param name="What">A sentence without its full stop, about "its certificate".</param>
/// <param name="Kind">Which of the fixes applies.</param>
public sealed record ServerCertificateProblem(string What, ServerCertificateFault Kind)
{
    const string Minute = "yyyy-MM-dd HH:mm";

    /// <summary>Null if nothing is wrong. Of several faults, the one to repair first.</summary>
    /// <param name="certificate">The server's certificate.</param>
    /// <param name="chain">The chain that was built.</param>
    /// <param name="errors">The errors that were found.</param>
    /// <param name="name">The name that the server was reached by.</param>
    /// <param name="authorityFile">File of the authorities; empty for the machine's.</param>
    /// <param name="now">The time to check against.</param>
    public static ServerCertificateProblem? Of(
        X509Certificate? certificate,
        X509Chain? chain,
        SslPolicyErrors errors,
        string name,
        string authorityFile,
        DateTimeOffset now
    )
    {
        if (errors == SslPolicyErrors.None)
            return null;
        if (certificate is not X509Certificate2 shown)
            return new("it shows no certificate", ServerCertificateFault.Missing);
        var found = (chain?.ChainStatus ?? []).Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
        if (found.HasFlag(X509ChainStatusFlags.NotTimeValid) && TimeProblem(chain!, now) is { } time)
            return time;
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            var authorities = authorityFile.Length > 0 ? $"in {authorityFile}" : "among the authorities that this machine trusts";
            const X509ChainStatusFlags Unknown =
                X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.NotSignatureValid;
            return (found & Unknown) != 0
                ? new($"its certificate was signed by '{shown.Issuer}', which is not {authorities}", ServerCertificateFault.Untrusted)
                : new($"its certificate cannot be used ({found})", ServerCertificateFault.Untrusted);
        }
        return new($"its certificate is for {Names(shown)}, and not for '{name}'", ServerCertificateFault.OtherName);
    }

    /// <summary>The certificate of the chain that is not valid now; an authority's may have expired too.</summary>
    static ServerCertificateProblem? TimeProblem(X509Chain chain, DateTimeOffset now)
    {
        for (var i = 0; i < chain.ChainElements.Count; i++)
        {
            var certificate = chain.ChainElements[i].Certificate;
            var what = i == 0 ? "its certificate" : $"the certificate of its authority '{certificate.Subject}'";
            var (from, until) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
            if (until < now)
                return new(
                    FormattableString.Invariant($"{what} expired on {until.ToString(Minute, null)} UTC"),
                    ServerCertificateFault.Expired
                );
            if (from > now)
                return new(
                    FormattableString.Invariant($"{what} is valid only from {from.ToString(Minute, null)} UTC on"),
                    ServerCertificateFault.Expired
                );
        }
        return null;
    }

    static string Names(X509Certificate2 certificate)
    {
        var names = certificate
            .Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(names => names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => $"{address}")))
            .Select(name => $"'{name}'")
            .ToList();
        return names.Count > 0 ? string.Join(", ", names) : $"no host name (the subject '{certificate.Subject}' does not count)";
    }
}
