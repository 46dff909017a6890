namespace ThermalStreaming.Thermalctl;

/// <summary>A user of the broker: a file of lines <c>key=value</c> under the user's name.</summary>
/// <param name="Name">The user name, which the broker uses as the client id.</param>
/// <param name="Kind">device, snowpipe-forwarder, s3-forwarder, console or reader: decides its rights.</param>
/// <param name="Devices">For a device: the names under which it may publish ("+" is any).</param>
/// <param name="Clients">
/// More user names with the same password and rights. A user name is one connection and one session, and nobody can take another user's
/// session.
/// </param>
/// <param name="Origin">compose: follows the Compose files; enrolled: created by <c>./up --enroll</c>.</param>
/// <param name="Hash">The hash of its password.</param>
sealed record BrokerUser(
    string Name,
    string Kind,
    IReadOnlyList<string> Devices,
    IReadOnlyList<string> Clients,
    string Origin,
    PasswordHash Hash
)
{
    /// <summary>The kind of users that only read.</summary>
    public const string Reader = "reader";

    public const string FromCompose = "compose";
    public const string Enrolled = "enrolled";

    /// <summary>The mappings for which it is a gateway: it may publish on all their topics.</summary>
    public IReadOnlyList<string> Gateways { get; init; } = [];

    /// <summary>All its login names.</summary>
    public IEnumerable<string> Logins => Clients.Prepend(Name);

    public string Text =>
        $"kind={Kind}\ndevices={string.Join(',', Devices)}\nclients={string.Join(' ', Clients)}\norigin={Origin}\nhash={Hash}\n"
        + (Gateways.Count == 0 ? "" : $"gateways={string.Join(',', Gateways)}\n");

    /// <returns>Null if the file has no hash that the broker can read: that user cannot log in.</returns>
    public static BrokerUser? Parse(string name, string text)
    {
        var fields = text.Split('\n')
            .Select(line => line.Split('=', 2))
            .Where(field => field.Length == 2)
            .ToLookup(field => field[0], field => field[1]);
        return PasswordHash.Parse(Field("hash")) is { } hash
            ? new BrokerUser(name, Field("kind"), List("devices", ','), List("clients", ' '), Field("origin"), hash)
            {
                Gateways = List("gateways", ','),
            }
            : null;

        string Field(string key) => fields[key].FirstOrDefault("");

        string[] List(string key, char separator) => Field(key).Split(separator, StringSplitOptions.RemoveEmptyEntries);
    }
}
