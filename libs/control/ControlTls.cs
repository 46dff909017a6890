using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ThermalStreaming.Control;

/// <summary>How to check the certificate of a control service. Immutable.</summary>
public sealed record ControlTls
{
    /// <summary>The authorities to trust; null: the machine's.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>The file they were read from, for messages; empty for the machine's.</summary>
    public string AuthorityFile { get; init; } = "";

    /// <summary>The name that certificates must carry. Null: the name or address by which the service is reached.</summary>
    public string? ServerName { get; init; }

    /// <summary>Reads the authorities once; a file replaced later is not read again.</summary>
    /// <param name="authorityFile">PEM file with one or more certificates; null: the machine's authorities.</param>
    /// <param name="serverName">See <see cref="ServerName"/>.</param>
    /// <exception cref="IOException">The file cannot be read, or holds no certificate; the message says what to do.</exception>
    public static ControlTls Load(string? authorityFile, string? serverName)
    {
        if (authorityFile is null)
            return new ControlTls { ServerName = serverName };
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(authorityFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new IOException($"The authorities in '{authorityFile}' cannot be read: {e.Message.TrimEnd('.')}. {Cure}", e);
        }
        if (authorities.Count == 0)
            throw new IOException($"'{authorityFile}' holds no certificate. {Cure}");
        return new ControlTls
        {
            Authorities = authorities,
            AuthorityFile = authorityFile,
            ServerName = serverName,
        };
    }

    const string Cure = "Name the PEM file (BEGIN CERTIFICATE) of the authority that signed the services' certificate.";
}
