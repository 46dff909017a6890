namespace ThermalStreaming.Readings;

/// <summary>Where a part of a payload lies, in bytes. A <see cref="Range"/> would also count from the end, and looks for that at each use.</summary>
readonly record struct Place(int Start, int Length)
{
    public static Place Between(int start, int end) => new(start, end - start);
}
