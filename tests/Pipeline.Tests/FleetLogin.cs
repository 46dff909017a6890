namespace ThermalStreaming.Pipeline.Tests;

/// <summary>As whom a fleet publishes.</summary>
/// <param name="Name">Name of the fleet; its devices' names begin with it.</param>
/// <param name="User">User at the broker.</param>
/// <param name="Password">The user's password.</param>
/// <param name="PasswordFile">A file with the password instead, read for each connection. The fleet is then one device of its own
/// name.</param>
sealed record FleetLogin(string Name, string User, string? Password, string? PasswordFile = null)
{
    public bool IsDevice => PasswordFile is not null;
}
