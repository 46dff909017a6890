using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ThermalStreaming.Thermalctl;

/// <summary>JSON on standard output: one object on one line.</summary>
static class JsonText
{
    static readonly JsonWriterOptions readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, readable))
            write(writer);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    public static void Print(Action<Utf8JsonWriter> write)
    {
        Console.Out.WriteLine(Of(write));
        Console.Out.Flush();
    }

    public static void Problem(Utf8JsonWriter writer, CallProblem problem)
    {
        writer.WriteString("problem", problem.What);
        writer.WriteString("fix", problem.Fix);
    }

    /// <summary>A number, or null if there is none.</summary>
    public static void Number(Utf8JsonWriter writer, string name, double? value, int decimals = 3)
    {
        if (value is { } number && double.IsFinite(number))
            writer.WriteNumber(name, Math.Round((decimal)Math.Clamp(number, -1e18, 1e18), decimals));
        else
            writer.WriteNull(name);
    }

    public static void Count(Utf8JsonWriter writer, string name, ulong? value)
    {
        if (value is { } number)
            writer.WriteNumber(name, number);
        else
            writer.WriteNull(name);
    }
}
