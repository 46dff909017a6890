using System.Buffers.Text;
using System.Security.Cryptography;

namespace ThermalStreaming.Thermalctl;

/// <summary>The token for changes by gRPC: one for the installation, and a copy in a volume for each program that reads it.</summary>
sealed class ControlTokens(SetupPlaces places, TextWriter output)
{
    const int Bytes = 32;

    string Own => Path.Combine(places.Authority, "control-token");

    /// <summary>Makes the token if there is none, and copies it to volumes without it.</summary>
    public void Make()
    {
        if (!Directory.Exists(places.Control))
            return;
        var token = SafeFile.ReadOrEmpty(Own).Trim();
        var isNew = !IsOne(token);
        if (isNew)
        {
            token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));
            SafeFile.Write(Own, token + "\n");
        }
        foreach (var directory in Directory.GetDirectories(places.Control).Order(StringComparer.Ordinal))
        {
            if (ServiceUsers.IsMounted(directory))
                SafeFile.WriteIfChanged(Path.Combine(directory, "token"), token + "\n", SafeFile.ReadOnlyForAll);
        }
        if (isNew)
            output.WriteLine("made a control token");
    }

    /// <summary>Makes a new token; services use it at once.</summary>
    public void Renew()
    {
        File.Delete(Own);
        Make();
    }

    static bool IsOne(string text) => Base64Url.IsValid(text, out var length) && length == Bytes;
}
