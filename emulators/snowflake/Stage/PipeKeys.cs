namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The keys and folders of pipes for rows in files. They are derived from the secret and not stored. Safe for concurrent use.
/// </summary>
sealed class PipeKeys(ServerSecret secret)
{
    /// <summary>The only encryption of files.</summary>
    public const string EncryptionVersion = "AES-CTR-128.1";

    /// <summary>The id of every pipe's key.</summary>
    public const string KeyId = "1";

    /// <summary>The 32-byte key for uploads to a pipe.</summary>
    public byte[] Key(Pipe pipe) => secret.Derive("pipe-key", $"{Name(pipe)}\n{KeyId}");

    /// <summary>A text that the client repeats with each file.</summary>
    public string Diversifier(Pipe pipe) => Convert.ToHexStringLower(secret.Derive("pipe-diversifier", Name(pipe)))[..16];

    /// <summary>The folder of a pipe's files in the stage; ends with a slash.</summary>
    public string Folder(Pipe pipe) => Convert.ToHexStringLower(secret.Derive("pipe-folder", Name(pipe)))[..16] + "/";

    static string Name(Pipe pipe) => $"{pipe.Database}\n{pipe.Schema}\n{pipe.Name}";
}
