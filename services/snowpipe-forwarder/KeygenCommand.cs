using System.CommandLine;
using System.Security.Cryptography;
using Spectre.Console;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>The verb <c>keygen</c>: makes the key pair of the Snowflake user and says how to use it.</summary>
static class KeygenCommand
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static Command Create()
    {
        var output = new Option<string>("--output")
        {
            Description = "File for the private key; the public one goes beside it as .pub.",
            DefaultValueFactory = _ => "rsa_key.p8",
        };
        var bits = new Option<int>("--bits") { Description = "Size of the key, 2048 to 8192.", DefaultValueFactory = _ => 2048 };
        var encrypted = new Option<bool>("--encrypted") { Description = "Encrypt the private key with a passphrase (PBES2, AES-256-CBC)." };
        var passphraseFile = new Option<string?>("--passphrase-file")
        {
            Description = "File that holds the passphrase; without it --encrypted asks for one.",
        };
        var ifMissing = new Option<bool>("--if-missing") { Description = "Do nothing, successfully, when the private key exists." };
        var user = new Option<string?>("--user") { Description = "User to name in the statement; SNOWFLAKE_USER otherwise." };
        bits.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 2048 or > 8192)
                result.AddError("--bits must be 2048 to 8192: Snowflake refuses shorter keys, and longer ones only cost time.");
        });
        var command = new Command("keygen", "Makes an RSA key pair for the Snowflake user; never overwrites one.")
        {
            output,
            bits,
            encrypted,
            passphraseFile,
            ifMissing,
            user,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetValue(output)!,
                parsed.GetValue(bits),
                parsed.GetValue(encrypted),
                parsed.GetValue(passphraseFile),
                parsed.GetValue(ifMissing),
                parsed.GetValue(user) ?? Environment.GetEnvironmentVariable("SNOWFLAKE_USER"),
                Console.Out,
                Console.Error
            )
        );
        return command;
    }

    /// <returns><see cref="ExitCodes.Ok"/>, or <see cref="ExitCodes.Failed"/> after a line on <paramref name="errors"/>.</returns>
    public static int Run(
        string path,
        int bits,
        bool encrypted,
        string? passphraseFile,
        bool ifMissing,
        string? user,
        TextWriter output,
        TextWriter errors
    )
    {
        path = Path.GetFullPath(path);
        var publicPath = Path.ChangeExtension(path, ".pub");
        if (Path.Exists(path))
        {
            if (ifMissing && File.Exists(path))
                return ExitCodes.Ok;
            errors.WriteLine(
                Directory.Exists(path)
                    ? $"keygen: {path} is a directory (Docker makes one when a mounted file is missing); remove it and run keygen again."
                    : $"keygen: {path} exists and is not overwritten: programs that sign in with it would stop working. Move it away, "
                        + "or name another file with --output."
            );
            return ExitCodes.Failed;
        }
        if (!TryGetPassphrase(encrypted, passphraseFile, errors, out var passphrase))
            return ExitCodes.Failed;
        using var rsa = RSA.Create(bits);
        var pem = passphrase is null
            ? rsa.ExportPkcs8PrivateKeyPem()
            : rsa.ExportEncryptedPkcs8PrivateKeyPem(
                passphrase,
                new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 600_000)
            );
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            Write(path, pem, OwnerOnly, FileMode.CreateNew);
            // The public key is derived from the private one, so an older public key beside it is wrong now.
            Write(
                publicPath,
                rsa.ExportSubjectPublicKeyInfoPem(),
                OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
                FileMode.Create
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.WriteLine($"keygen: cannot write {path}: {e.Message}");
            return ExitCodes.Failed;
        }
        Explain(output, path, publicPath, rsa, passphrase is not null, user);
        return ExitCodes.Ok;
    }

    static bool TryGetPassphrase(bool encrypted, string? file, TextWriter errors, out string? passphrase)
    {
        passphrase = null;
        if (!encrypted && file is null)
            return true;
        if (file is not null)
        {
            try
            {
                passphrase = File.ReadAllText(file).TrimEnd('\r', '\n');
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                errors.WriteLine($"keygen: the passphrase file {file} cannot be read ({Settings.Reason(e)}).");
                return false;
            }
        }
        else if (Console.IsInputRedirected)
        {
            errors.WriteLine(
                "keygen: there is no terminal to ask for the passphrase on; put it into a file and name that with --passphrase-file."
            );
            return false;
        }
        else
        {
            passphrase = AnsiConsole.Prompt(new TextPrompt<string>("Passphrase:").Secret());
            if (AnsiConsole.Prompt(new TextPrompt<string>("Once more:").Secret()) != passphrase)
            {
                errors.WriteLine("keygen: the two passphrases differ; nothing was written.");
                return false;
            }
        }
        if (passphrase.Length >= 8)
            return true;
        errors.WriteLine("keygen: the passphrase must have at least 8 characters.");
        return false;
    }

    // The mode is set when the file is created: others can read it at no moment.
    static void Write(string path, string text, UnixFileMode mode, FileMode how)
    {
        var options = new FileStreamOptions
        {
            Mode = how,
            Access = FileAccess.Write,
            Share = FileShare.None,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = mode;
        using var writer = new StreamWriter(path, System.Text.Encoding.ASCII, options);
        writer.Write(text);
        writer.Write('\n');
    }

    static void Explain(TextWriter output, string path, string publicPath, RSA rsa, bool isEncrypted, string? user)
    {
        var body = string.Concat(
            rsa.ExportSubjectPublicKeyInfoPem().Split('\n').Where(line => !line.StartsWith("-----", StringComparison.Ordinal))
        );
        output.WriteLine(
            $"""
            Private key  {path} (RSA {rsa.KeySize}, {(isEncrypted ? "encrypted, " : "")}mode 600)
            Public key   {publicPath}
            Fingerprint  {KeyPair.FingerprintOf(rsa)}

            1. Register it, as a role that may alter the user:

               ALTER USER {(string.IsNullOrWhiteSpace(user) ? "<user>" : user)} SET RSA_PUBLIC_KEY='{body}';

               DESC USER then shows the fingerprint above as RSA_PUBLIC_KEY_FP.

            2. The forwarder reads the private key from the file that SNOWFLAKE_PRIVATE_KEY_FILE names, in the container {AccountSettings.DefaultKeyFile}.
               Compose mounts secrets/rsa_key.p8 of the project there{(
                isEncrypted ? "; name a file with the passphrase in .env, SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_PATH" : ""
            )}.

            3. Try it: snowpipe-forwarder check
            """
        );
    }
}
