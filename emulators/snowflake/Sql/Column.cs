using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>One column of a table.</summary>
sealed record Column(string Name, SqlType Type, bool NotNull, byte[]? DefaultJson)
{
    public byte[] Utf8Name { get; } = Encoding.UTF8.GetBytes(Name);
}
