using System.Security.Cryptography;
using System.Text;
using Grpc.Core;

namespace ThermalStreaming.Hosting;

/// <summary>
/// The secret of callers that may change something. It is read from its file at each such call, so a new one takes effect at once.
/// Thread-safe.
/// </summary>
/// <param name="path">The file.</param>
sealed class ControlToken(string path)
{
    const string Scheme = "Bearer ";

    /// <summary>Anything shorter is not a secret; `setup` makes 43 characters.</summary>
    const int LeastCharacters = 32;

    /// <summary>Returns if the header carries the token.</summary>
    /// <param name="headers">Of the call.</param>
    /// <exception cref="RpcException">UNAUTHENTICATED, or FAILED_PRECONDITION if there is no token to compare with.</exception>
    public void Require(Metadata headers)
    {
        var expected = Read();
        var given = headers.GetValue("authorization");
        if (given is null || !given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            throw ControlErrors.Because(
                StatusCode.Unauthenticated,
                "TOKEN_MISSING",
                "This call changes something and carries no token; send the header 'authorization: Bearer <token>' with the token that "
                    + "setup has made (docs/operations.md, Control)."
            );
        // Compares hashes, so that the time taken does not reveal even the length.
        if (!CryptographicOperations.FixedTimeEquals(Hash(given[Scheme.Length..].Trim()), Hash(expected)))
            throw ControlErrors.Because(
                StatusCode.Unauthenticated,
                "TOKEN_WRONG",
                "The token does not belong to this installation; read it again, because it may have been replaced "
                    + "(docs/operations.md, Control)."
            );
    }

    string Read()
    {
        string? problem;
        try
        {
            var token = File.ReadAllText(path).Trim();
            if (token.Length >= LeastCharacters)
                return token;
            problem = $"it has {token.Length} characters, and a token has at least {LeastCharacters}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = Settings.Reason(e);
        }
        throw ControlErrors.Precondition(
            "TOKEN",
            path,
            $"Nothing can be changed, because the token file {path} cannot be used ({problem}). Let setup make it: docker compose run --rm "
                + "setup; outside of Compose set CONTROL_TOKEN_FILE."
        );
    }

    static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
