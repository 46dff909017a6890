namespace ThermalStreaming.Control;

/// <summary>Something that a person should know about the system.</summary>
/// <param name="Key">Names the finding among those of its replica or service; the same as long as the finding is the same.</param>
/// <param name="IsUrgent">
/// Whether somebody must act: readings are lost, or are not taken or not delivered until then. Otherwise it is a remark.
/// </param>
/// <param name="Where">The affected part, for example <c>sensor scd4x@1:62</c>; empty if it is the whole.</param>
/// <param name="What">What is wrong: sentences.</param>
/// <param name="Fix">What to do: sentences; empty if there is nothing to do.</param>
/// <param name="Age">How long ago it began; null if that is not known.</param>
public sealed record Finding(string Key, bool IsUrgent, string Where, string What, string Fix, TimeSpan? Age = null);
