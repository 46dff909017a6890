using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Hosting;

/// <summary>
/// The certificate that the control service shows, with its key, from two PEM files. They are read at each new connection, so a renewed
/// certificate takes effect without a restart. While the files do not match, as between the writing of one and the other, the last matching
/// pair is shown. Thread-safe.
/// </summary>
/// <param name="certificateFile">The certificate, followed by those of its intermediate authorities if any.</param>
/// <param name="keyFile">Its key, unencrypted.</param>
/// <param name="clock">For certificates that have expired.</param>
/// <param name="logger">Logs new certificates and files that cannot be used, once each.</param>
sealed partial class ControlCertificate(string certificateFile, string keyFile, TimeProvider clock, ILogger logger)
{
    readonly Lock gate = new();
    string seen = "";
    SslStreamCertificateContext? current;

    /// <summary>The certificate to show now.</summary>
    /// <exception cref="InvalidOperationException">The files could not be used since the start.</exception>
    public SslStreamCertificateContext Current
    {
        get
        {
            lock (gate)
            {
                Follow();
                return current ?? throw new InvalidOperationException($"{certificateFile} and {keyFile} cannot be used.");
            }
        }
    }

    /// <summary>What is wrong with the files, and what to do; null if they can be used.</summary>
    public static string? Problem(string certificateFile, string keyFile)
    {
        try
        {
            _ = Parse(File.ReadAllText(certificateFile), File.ReadAllText(keyFile));
            return null;
        }
        catch (Exception e) when (IsOfFiles(e))
        {
            return Words(e);
        }
    }

    void Follow()
    {
        string certificate,
            key;
        try
        {
            (certificate, key) = (File.ReadAllText(certificateFile), File.ReadAllText(keyFile));
        }
        catch (Exception e) when (IsOfFiles(e))
        {
            Note(Words(e), e);
            return;
        }
        // Not the text itself, which holds the key.
        var files = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{certificate}\n{key}")));
        if (files == seen)
            return;
        try
        {
            current = Parse(certificate, key);
        }
        catch (Exception e) when (IsOfFiles(e))
        {
            Note(Words(e), e, files);
            return;
        }
        seen = files;
        var until = current.TargetCertificate.NotAfter.ToUniversalTime();
        LogShown(current.TargetCertificate.Subject, certificateFile, until);
        if (until < clock.GetUtcNow())
            LogExpired(certificateFile, until);
    }

    /// <summary>Logs a problem once, until there is a different one.</summary>
    void Note(string problem, Exception e, string? files = null)
    {
        var note = files ?? problem;
        if (note != seen)
            LogUnusable(certificateFile, keyFile, problem, e);
        seen = note;
    }

    static SslStreamCertificateContext Parse(string certificate, string key)
    {
        // This refuses a key that is not the certificate's.
        var shown = X509Certificate2.CreateFromPem(certificate, key);
        var all = new X509Certificate2Collection();
        all.ImportFromPem(certificate);
        all.RemoveAt(0);
        // Without the offline flag, missing intermediate certificates would be looked for on the Internet.
        return SslStreamCertificateContext.Create(shown, all, offline: true);
    }

    static bool IsOfFiles(Exception e) => e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException;

    static string Words(Exception e) =>
        e is IOException or UnauthorizedAccessException ? Settings.Reason(e) : e.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ');

    [LoggerMessage(
        EventId = 612,
        Level = LogLevel.Information,
        Message = "Control: new connections get the certificate {Subject} of {File}, valid until {Until:u}"
    )]
    partial void LogShown(string subject, string file, DateTime until);

    [LoggerMessage(
        EventId = 613,
        Level = LogLevel.Warning,
        Message = "Control: the certificate in {File} expired at {Until:u}, and clients refuse it. Put a new one with its key into "
            + "the files; the service reads them without a restart"
    )]
    partial void LogExpired(string file, DateTime until);

    [LoggerMessage(
        EventId = 614,
        Level = LogLevel.Warning,
        Message = "Control: {CertificateFile} and {KeyFile} cannot be used together ({Problem}). New connections get the previous "
            + "certificate until both files are valid: PEM, and the key unencrypted and of this certificate"
    )]
    partial void LogUnusable(string certificateFile, string keyFile, string problem, Exception e);
}
