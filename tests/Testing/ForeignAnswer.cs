using System.Text.Json;

namespace ThermalStreaming.Testing;

/// <summary>What a foreign client was answered.</summary>
/// <param name="Messages">JSON with the fields' own names; 64-bit numbers are texts, and zeros are left out.</param>
/// <param name="Code">For example <c>OK</c> or <c>UNAUTHENTICATED</c>.</param>
/// <param name="Message">Of the status.</param>
/// <param name="Details">Names of the types of its details, comma-separated.</param>
public sealed record ForeignAnswer(IReadOnlyList<JsonElement> Messages, string Code, string Message, string Details);
