using System.Text;

namespace ThermalStreaming.Snowflake;

/// <summary>
/// The DER bytes of a key file, after undoing everything that editors, shells and secret stores do to a PEM text: byte order marks, UTF-16,
/// CRLF, quotes, indentation, a literal <c>\n</c> in place of a line end, a missing frame, a second layer of Base64.
/// </summary>
/// <param name="Der">Empty if <see cref="Found"/> says why.</param>
/// <param name="Found">
/// What the file is instead, completing "which is …", with what to do; <c>{path}</c> stands for its path. Null if it holds DER.
/// </param>
readonly record struct KeyFileContent(byte[] Der, string? Found)
{
    public const string MustBe = "it must be an RSA private key in PEM form (PKCS#8)";
    public const string MakeOne = "Make one with: snowpipe-forwarder keygen";

    /// <summary>A PEM text inside Base64 inside a secret store; deeper layers are not searched.</summary>
    const int MostLayers = 3;

    const string Begin = "-----BEGIN",
        End = "-----END",
        Dashes = "-----";

    public static KeyFileContent Read(byte[] file)
    {
        if (file.Length == 0)
            return Not($"an empty file; {MustBe}. {MakeOne}");
        if (file is [0xFE, 0xED, 0xFE, 0xED, ..])
            return Not(
                "a Java keystore; convert it with: keytool -importkeystore -srckeystore {path} -destkeystore key.p12 -deststoretype "
                    + "PKCS12, then: openssl pkcs12 -in key.p12 -nocerts -nodes -out rsa_key.p8"
            );
        if (LooksLikeDer(file))
            return new(file, null);
        var text = Decode(file);
        for (var layer = 0; layer < MostLayers; layer++)
        {
            text = Unescape(text);
            if (Named(text) is { } name)
                return Not(name);
            if (text.Contains(Begin, StringComparison.Ordinal))
            {
                if (!TryReadPem(text, out var der, out var found))
                    return Not(found);
                if (!HoldsPem(der))
                    return new(der, null);
                text = Decode(der);
            }
            // LS0t is the Base64 of dashes.
            else if (
                TryDecodeBase64(Body(text), out var bytes) && (bytes[0] == 0x30 || HoldsPem(bytes) || bytes.AsSpan().StartsWith("LS0t"u8))
            )
            {
                if (bytes[0] == 0x30)
                    return new(bytes, null);
                text = Decode(bytes);
            }
            else
            {
                break;
            }
        }
        return Not(
            text.All(char.IsWhiteSpace) ? $"an empty file; {MustBe}. {MakeOne}" : $"not a PEM file and not Base64; {MustBe}. {MakeOne}"
        );
    }

    static KeyFileContent Not(string found) => new([], found);

    /// <summary>A SEQUENCE whose length is that of the file, or a little less: some tools add a line end.</summary>
    static bool LooksLikeDer(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 16 || bytes[0] != 0x30)
            return false;
        var (length, header) = bytes[1] switch
        {
            < 0x80 and var small => (small, 2),
            0x81 => (bytes[2], 3),
            0x82 => (bytes[2] << 8 | bytes[3], 4),
            _ => (-1, 0),
        };
        return length > 0 && bytes.Length - header - length is >= 0 and <= 2;
    }

    static bool HoldsPem(byte[] bytes) => Decode(bytes).Contains(Begin, StringComparison.Ordinal);

    static string Decode(byte[] bytes)
    {
        var encoding = bytes switch
        {
            [0xFF, 0xFE, ..] => Encoding.Unicode,
            [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode,
            [not 0, 0, not 0, 0, ..] => Encoding.Unicode,
            [0, not 0, 0, not 0, ..] => Encoding.BigEndianUnicode,
            _ => Encoding.UTF8,
        };
        return encoding.GetString(bytes);
    }

    static string Unescape(string text)
    {
        if (text.AsSpan().Trim() is ['"', ..] && JsonText(text) is { } plain)
            text = plain;
        text = text.Replace("\\\\", "\\", StringComparison.Ordinal)
            .Replace("\\r", "\n", StringComparison.Ordinal)
            .Replace("\\n", "\n", StringComparison.Ordinal)
            .Replace("\\t", " ", StringComparison.Ordinal)
            .Replace("\\u000a", "\n", StringComparison.OrdinalIgnoreCase);
        // From a URL or a form.
        if (
            text.Contains("BEGIN%20", StringComparison.Ordinal)
            || text.Contains("%2B", StringComparison.OrdinalIgnoreCase)
            || text.Contains("%0A", StringComparison.OrdinalIgnoreCase)
        )
            text = Uri.UnescapeDataString(text);
        return new string([.. text.Where(letter => letter is not ('\uFEFF' or '\u200B' or '\0'))]).Trim();
    }

    static string? JsonText(string text)
    {
        try
        {
            return System.Text.Json.Nodes.JsonNode.Parse(text)?.GetValue<string>();
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Recognises content that is clearly something else.</summary>
    static string? Named(string text) =>
        text switch
        {
            _ when text.StartsWith("PuTTY-User-Key-File", StringComparison.Ordinal) =>
                "a PuTTY key; convert it with: puttygen {path} -O private-openssh -o rsa_key.p8",
            _ when text.StartsWith("---- BEGIN SSH2", StringComparison.Ordinal) => $"a key of commercial SSH; {MustBe}. {MakeOne}",
            _ when text.StartsWith("ssh-", StringComparison.Ordinal) || text.StartsWith("ecdsa-sha2-", StringComparison.Ordinal) =>
                $"an OpenSSH public key; name the private one, and {MustBe}. {MakeOne}",
            _ when text.StartsWith("SHA256:", StringComparison.Ordinal) =>
                "the fingerprint of a key, not the key; name the private key, usually rsa_key.p8.",
            _ when text.StartsWith("$ANSIBLE_VAULT", StringComparison.Ordinal) =>
                "encrypted by Ansible Vault; decrypt a copy of it with: ansible-vault decrypt --output rsa_key.p8 {path}",
            _ when text.StartsWith("eyJ", StringComparison.Ordinal) =>
                "a token (JWT), not a key; for an access token set SNOWFLAKE_AUTH=Pat and name the file in SNOWFLAKE_PAT_FILE.",
            _ when text.StartsWith('<') => $"an XML or HTML file; {MustBe}. {MakeOne}",
            _ when text.StartsWith('{') =>
                $"a JSON file; put the text of its private key alone, from -----BEGIN to the last -----, into a file; {MustBe}.",
            _ => null,
        };

    /// <summary>Takes the first private key among the blocks, or else the first block.</summary>
    static bool TryReadPem(string text, out byte[] der, out string found)
    {
        (der, found) = ([], "");
        (string Label, string Body, bool IsEnded)? chosen = null;
        for (var at = text.IndexOf(Begin, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Begin, at + 1, StringComparison.Ordinal))
        {
            var labelEnd = text.IndexOf(Dashes, at + Begin.Length, StringComparison.Ordinal);
            if (labelEnd < 0)
                break;
            var label = string.Join(
                ' ',
                text[(at + Begin.Length)..labelEnd].Split([' ', '+', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)
            );
            var bodyStart = labelEnd + Dashes.Length;
            var end = text.IndexOf(End, bodyStart, StringComparison.Ordinal);
            var isPrivate = label.EndsWith("PRIVATE KEY", StringComparison.Ordinal);
            if (chosen is null || (isPrivate && !chosen.Value.Label.EndsWith("PRIVATE KEY", StringComparison.Ordinal)))
                chosen = (label, end < 0 ? text[bodyStart..] : text[bodyStart..end], end >= 0);
        }
        if (chosen is not var (name, body, isEnded))
        {
            found = $"a PEM file without its first line; {MustBe}. Copy the file again.";
            return false;
        }
        found = Refused(name, body);
        if (found.Length > 0)
            return false;
        if (TryDecodeBase64(body, out der))
            return true;
        found = isEnded
            ? $"a damaged PEM file: between its first and its last line is something that is not Base64; {MustBe}. Copy the file again."
            : $"a PEM file without its end: the line -----END {name}----- is missing. Copy the file again.";
        return false;
    }

    /// <summary>A reason for refusal from the label or a header alone; "" if the bytes decide.</summary>
    static string Refused(string label, string body) =>
        label switch
        {
            _ when body.Contains("Proc-Type", StringComparison.Ordinal) && body.Contains("ENCRYPTED", StringComparison.Ordinal) =>
                "a key encrypted the old way (PKCS#1); convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in {path} -out rsa_key.p8",
            "OPENSSH PRIVATE KEY" => OpenSsh(body),
            "CERTIFICATE" or "X509 CERTIFICATE" or "TRUSTED CERTIFICATE" =>
                $"a 'CERTIFICATE', which holds a public key only; name the private key that belongs to it. {MakeOne}",
            "PGP PRIVATE KEY BLOCK" or "PGP PUBLIC KEY BLOCK" or "PGP MESSAGE" => $"a PGP file ('{label}'); {MustBe}. {MakeOne}",
            "PKCS12"
            or "PKCS7"
            or "CMS"
            or "DH PARAMETERS"
            or "EC PARAMETERS"
            or "X509 CRL"
            or "CERTIFICATE REQUEST"
            or "NEW CERTIFICATE REQUEST" => $"a PEM file that holds '{label}'; {MustBe}. {MakeOne}",
            _ => "",
        };

    static string OpenSsh(string body)
    {
        var kind = TryDecodeBase64(body, out var bytes) ? Encoding.Latin1.GetString(bytes) : "ssh-rsa";
        return
            kind.Contains("ssh-rsa", StringComparison.Ordinal)
            || !(kind.Contains("ssh-", StringComparison.Ordinal) || kind.Contains("ecdsa-", StringComparison.Ordinal))
            ? "an OpenSSH key; if it is an RSA key, convert a copy of it with: cp {path} rsa_key.p8; ssh-keygen -p -m PKCS8 -N '' -f "
                + "rsa_key.p8. Or make a new one with: snowpipe-forwarder keygen"
            : $"an OpenSSH key that is not RSA; {MustBe}. {MakeOne}";
    }

    // Removes a name before it (rsa_key=…, private_key: …) and a last line whose first line is missing.
    static string Body(string text)
    {
        if (text.IndexOf(End, StringComparison.Ordinal) is > 0 and var last)
            text = text[..last];
        var end = 0;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '_' or '-' or '.'))
            end++;
        return end is > 0 and < 64 && end < text.Length - 64 && text[end] is '=' or ':' ? text[(end + 1)..] : text;
    }

    static bool TryDecodeBase64(string text, out byte[] bytes)
    {
        var body = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            if (letter is '-' or '_')
                body.Append(letter == '-' ? '+' : '/');
            else if (!char.IsWhiteSpace(letter) && letter is not ('"' or '\'' or '\\' or ',' or '>' or '|'))
                body.Append(letter);
        }
        var plain = body.ToString().TrimEnd('=');
        bytes = new byte[plain.Length];
        var ok =
            plain.Length >= 4
            && plain.Length % 4 != 1
            && Convert.TryFromBase64String(plain.PadRight((plain.Length + 3) / 4 * 4, '='), bytes, out _);
        bytes = ok ? bytes[..(plain.Length * 3 / 4)] : [];
        return ok;
    }
}
