using System.Runtime.ExceptionServices;
using System.Security.Cryptography;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The identity of the installation, part of the forwarders' client ids. If its own volume was lost, it comes from any other volume that
/// has it, so that the forwarders find their sessions at the broker again. Only if no volume has it is this a new installation.
/// </summary>
sealed class InstallationIdentity(SetupPlaces places, TextWriter errors)
{
    const int Bytes = 4;

    string Own => Path.Combine(places.Authority, "installation");

    public static bool IsOne(string text) => text.Length == 2 * Bytes && text.All(char.IsAsciiHexDigitLower);

    /// <exception cref="IOException">No volume has it, and the file in one of them cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public string Read()
    {
        ExceptionDispatchInfo? unreadable = null;
        string[] volumes = Directory.Exists(places.Credentials)
            ? [.. Directory.GetDirectories(places.Credentials).Order(StringComparer.Ordinal)]
            : [];
        foreach (var file in volumes.Prepend(places.Auth).Select(volume => Path.Combine(volume, "installation")).Prepend(Own))
        {
            string identity;
            try
            {
                identity = SafeFile.ReadOrEmpty(file).Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                unreadable ??= ExceptionDispatchInfo.Capture(e);
                continue;
            }
            if (!IsOne(identity))
                continue;
            if (file != Own)
            {
                Keep(identity);
                errors.WriteLine($"restored the identity of this installation from {file}: {places.Authority} had lost it");
            }
            return identity;
        }
        // The unreadable file may hold the identity of the sessions at the broker.
        unreadable?.Throw();
        var made = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes));
        Keep(made);
        return made;
    }

    public void Keep(string identity) => SafeFile.Write(Own, identity);
}
