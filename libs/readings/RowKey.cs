using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>A key of a row.</summary>
sealed class RowKey(string name)
{
    public string Name => name;

    /// <summary>The key as it appears between two values: <c>,"name":</c>.</summary>
    public byte[] Bytes { get; } = Encoding.UTF8.GetBytes($",\"{name}\":");

    /// <summary>With its quotation marks.</summary>
    public ReadOnlySpan<byte> Quoted => Bytes.AsSpan()[1..^1];
}
