using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings;

/// <summary>How to make a reading from a message.</summary>
/// <param name="Kind">Kind of the reading.</param>
/// <param name="Each">A reading for each of these members; null for one reading of the whole payload.</param>
/// <param name="Fields">Where its fields come from.</param>
/// <param name="Constants">Keys with a text that may name captures, and <c>{key}</c>, the member's key.</param>
/// <param name="Extra">Values that go only to RAW_DATA, unchanged.</param>
sealed record ReadingRule(
    ReadingKind Kind,
    MemberPattern? Each,
    IReadOnlyList<FieldRule> Fields,
    IReadOnlyList<(string Key, string Text)> Constants,
    IReadOnlyList<(string Key, JsonPath Path)> Extra
);
