using System.Diagnostics.CodeAnalysis;

namespace ThermalStreaming.Sensors;

/// <summary>A value, or an error in its place.</summary>
public readonly struct Outcome<T>
{
    Outcome(T? value, SensorError? error) => (Value, Error) = (value, error);

    /// <summary>The default if there is an error.</summary>
    public T? Value { get; }

    /// <summary>Null if there is a value.</summary>
    public SensorError? Error { get; }

    /// <summary>False, with the error, if there is no value.</summary>
    public bool Has([NotNullWhen(true)] out T? result, [NotNullWhen(false)] out SensorError? error)
    {
        (result, error) = (Value, Error);
        return Error is null;
    }

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(SensorError error) => new(default, error);
}
