namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The steps of the loader that a fault can hit, by their names in <see cref="Faults.Endpoints"/>.</summary>
static class LoadStep
{
    /// <summary>Asking the queue for messages.</summary>
    public const string Receive = "receive";

    /// <summary>Fetching an object.</summary>
    public const string Fetch = "fetch";

    /// <summary>Putting its rows into the table, after it has been read.</summary>
    public const string Load = "load";

    /// <summary>Deleting the message, after everything that it announces has been loaded.</summary>
    public const string Delete = "delete";

    public static readonly string[] All = [Receive, Fetch, Load, Delete];
}
