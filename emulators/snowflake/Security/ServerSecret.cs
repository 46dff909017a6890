using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The one secret of an emulator, from which every token and key that it issues is derived. It is stored with the data, so that they
/// outlive a restart. Safe for concurrent use.
/// </summary>
sealed class ServerSecret
{
    const int Length = 32;
    readonly byte[] secret;

    /// <exception cref="IOException">The file cannot be read or created.</exception>
    public ServerSecret(EmulatorSettings settings)
    {
        var path = Path.Combine(settings.DataDirectory, "token.key");
        secret = File.Exists(path) ? File.ReadAllBytes(path) : [];
        if (secret.Length == Length)
            return;
        secret = RandomNumberGenerator.GetBytes(Length);
        File.WriteAllBytes(path, []);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(path, secret);
    }

    /// <summary>The HMAC-SHA256 of data.</summary>
    public byte[] Sign(byte[] data) => HMACSHA256.HashData(secret, data);

    /// <summary>32 bytes that depend on the secret, a purpose, and a text.</summary>
    public byte[] Derive(string purpose, string text) => Sign(Encoding.UTF8.GetBytes($"{purpose}\n{text}"));
}
