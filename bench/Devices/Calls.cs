namespace ThermalStreaming.Bench;

/// <summary>Calls to Snowflake's interface.</summary>
/// <param name="Appends">Appends of rows.</param>
/// <param name="Status">Questions for the status of a channel.</param>
/// <param name="Tokens">Exchanges for a scoped token.</param>
readonly record struct Calls(double Appends, double Status, double Tokens)
{
    public double All => Appends + Status + Tokens;

    public static Calls operator -(Calls a, Calls b) => new(a.Appends - b.Appends, a.Status - b.Status, a.Tokens - b.Tokens);

    public static Calls operator +(Calls a, Calls b) => new(a.Appends + b.Appends, a.Status + b.Status, a.Tokens + b.Tokens);

    public static Calls operator *(Calls a, double times) => new(a.Appends * times, a.Status * times, a.Tokens * times);
}
