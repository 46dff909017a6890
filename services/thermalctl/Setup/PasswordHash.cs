using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.Thermalctl;

/// <summary>A password hash as Mosquitto stores it: PBKDF2 with SHA-512, written as <c>$7$iterations$salt$hash</c>.</summary>
sealed record PasswordHash(int Iterations, string Salt, string Hash)
{
    const string Scheme = "7";

    // As in mosquitto_passwd. The passwords are random, of 192 bits, so iterations need not slow down guessing.
    const int UsualIterations = 101;

    /// <summary>Takes seconds at most. The number in a damaged file could otherwise take an hour.</summary>
    const int MostIterations = 1_000_000;

    const int SaltBytes = 12;
    const int HashBytes = 64;
    const int PasswordBytes = 24;

    /// <summary>192 random bits, in characters that need no quoting anywhere.</summary>
    public static string RandomPassword() =>
        Convert.ToBase64String(RandomNumberGenerator.GetBytes(PasswordBytes)).Replace('+', '-').Replace('/', '_');

    public static PasswordHash Of(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return new PasswordHash(UsualIterations, Convert.ToBase64String(salt), Derive(password, salt, UsualIterations));
    }

    /// <returns>Null if the text is not such a hash.</returns>
    public static PasswordHash? Parse(string text) =>
        text.Split('$') is ["", Scheme, var iterations, var salt, var hash]
        && int.TryParse(iterations, CultureInfo.InvariantCulture, out var number)
            ? new PasswordHash(number, salt, hash)
            : null;

    /// <summary>Whether it is the hash of that password. Also false if the broker could not use it.</summary>
    public bool IsOf(string password)
    {
        var salt = new byte[Salt.Length];
        return Iterations is > 0 and <= MostIterations
            && Convert.TryFromBase64String(Salt, salt, out var length)
            && Derive(password, salt.AsSpan(0, length), Iterations) == Hash;
    }

    static string Derive(string password, ReadOnlySpan<byte> salt, int iterations) =>
        Convert.ToBase64String(
            Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA512, HashBytes)
        );

    public override string ToString() => $"${Scheme}${Iterations}${Salt}${Hash}";
}
