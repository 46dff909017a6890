using System.Security.Cryptography;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The public keys of users, from files that may appear or change while the emulator runs. The files are checked again when a token
/// names a user, at most once a second. Safe for concurrent use.
/// </summary>
sealed partial class PublicKeys(EmulatorSettings settings, TimeProvider clock, ILogger<PublicKeys> logger)
{
    readonly Lock gate = new();
    Dictionary<string, List<PublicKey>> byUser = [];
    string seen = "";
    DateTimeOffset lastLook = DateTimeOffset.MinValue;

    /// <summary>Keys registered for a user, upper case; empty if there are none.</summary>
    public IReadOnlyList<PublicKey> Of(string user)
    {
        lock (gate)
        {
            Refresh();
            if (byUser.TryGetValue(user, out var own))
                return own;
            return user == settings.User ? [.. byUser.Values.SelectMany(k => k)] : [];
        }
    }

    /// <summary>The users with keys, in a sentence.</summary>
    public string Describe()
    {
        lock (gate)
        {
            Refresh();
            if (byUser.Count == 0)
                return $"No public key has been found in {settings.KeysPath} yet (EMULATOR_KEYS).";
            var users = string.Join(", ", byUser.Keys.Order(StringComparer.Ordinal));
            return $"Keys in {settings.KeysPath} belong to: {users}"
                + (byUser.ContainsKey(settings.User) ? "." : $"; all of them to {settings.User} (EMULATOR_USER).");
        }
    }

    void Refresh()
    {
        var now = clock.GetUtcNow();
        if (now - lastLook < TimeSpan.FromSeconds(1) && now >= lastLook && byUser.Count > 0)
            return;
        lastLook = now;

        List<string> files = [];
        try
        {
            if (File.Exists(settings.KeysPath))
                files = [settings.KeysPath];
            else if (Directory.Exists(settings.KeysPath))
            {
                files =
                [
                    .. Directory
                        .EnumerateFiles(settings.KeysPath)
                        .Where(f => Path.GetExtension(f) is ".pub" or ".pem")
                        .Order(StringComparer.Ordinal),
                ];
            }
            var state = string.Join('\n', files.Select(f => $"{f} {File.GetLastWriteTimeUtc(f).Ticks} {new FileInfo(f).Length}"));
            if (state == seen)
                return;
            seen = state;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(settings.KeysPath, e.Message);
            return;
        }

        Dictionary<string, List<PublicKey>> found = [];
        foreach (var file in files)
        {
            try
            {
                var text = File.ReadAllText(file);
                if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
                    continue;
                var user = Path.GetFileNameWithoutExtension(file).ToUpperInvariant();
                if (user.EndsWith("_2", StringComparison.Ordinal))
                    user = user[..^2];
                var rsa = RSA.Create();
                if (text.Contains("-----BEGIN", StringComparison.Ordinal))
                    rsa.ImportFromPem(text);
                else
                    rsa.ImportSubjectPublicKeyInfo(Convert.FromBase64String(text.Trim()), out _);
                if (rsa.KeySize < 2048)
                    throw new CryptographicException($"it has {rsa.KeySize} bits; Snowflake accepts 2048 and more.");
                var fingerprint = "SHA256:" + Convert.ToBase64String(SHA256.HashData(rsa.ExportSubjectPublicKeyInfo()));
                if (!found.TryGetValue(user, out var list))
                    found[user] = list = [];
                list.Add(new PublicKey(rsa, fingerprint));
                LogRegistered(file, user, fingerprint);
            }
            catch (Exception e)
                when (e is IOException or UnauthorizedAccessException or CryptographicException or FormatException or ArgumentException)
            {
                // The file may be half written. It is read again when it changes.
                LogUnreadable(file, e.Message);
            }
        }
        byUser = found;
    }

    [LoggerMessage(EventId = 710, Level = LogLevel.Information, Message = "Public key {File} is registered for {User}: {Fingerprint}")]
    partial void LogRegistered(string file, string user, string fingerprint);

    [LoggerMessage(
        EventId = 711,
        Level = LogLevel.Warning,
        Message = "{File} cannot be used as a public key: {Problem} It must be PEM (BEGIN PUBLIC KEY) and readable by this user."
    )]
    partial void LogUnreadable(string file, string problem);
}
