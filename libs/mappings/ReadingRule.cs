using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings;

/// <summary>How a reading is made of a message.</summary>
/// <param name="Kind">Of the reading.</param>
/// <param name="Each">A reading for each of these members; null for one reading of the whole payload.</param>
/// <param name="Fields">Where its fields come from.</param>
/// <param name="Constants">Keys with a text that may name captures, and <c>{key}</c>, the member's.</param>
/// <param name="Extra">Values that only RAW_DATA gets, as they came.</param>
sealed record ReadingRule(
    ReadingKind Kind,
    MemberPattern? Each,
    IReadOnlyList<FieldRule> Fields,
    IReadOnlyList<(string Key, string Text)> Constants,
    IReadOnlyList<(string Key, JsonPath Path)> Extra
);
