using System.Text.Unicode;

namespace ThermalStreaming.Readings;

/// <summary>Finds the objects of a JSON payload: one object, an array of objects, or several in a row.</summary>
static class JsonItems
{
    /// <returns>The objects, in order. If each line is an object of its own, a line that is not JSON has a problem.</returns>
    /// <exception cref="PayloadException">It is not JSON, or holds too many readings.</exception>
    public static List<JsonItem> Read(ReadOnlyMemory<byte> payload, JsonFields fields)
    {
        var extras = 0;
        try
        {
            return ReadAll(payload, fields, ref extras);
        }
        catch (NotJsonException) when (JsonLines.IsLines(payload.Span))
        {
            // Each line stands alone: a fault in one is no reason to refuse its neighbours.
            var items = new List<JsonItem>();
            extras = 0;
            foreach (var line in JsonLines.Split(payload))
            {
                try
                {
                    items.AddRange(ReadAll(payload[line], fields, ref extras).Select(item => item.MoveBy(line.Start.Value)));
                }
                catch (NotJsonException e)
                {
                    items.Add(new JsonItem(Place.Between(line.Start.Value, line.End.Value), [], null) { Problem = e.Message });
                }
                // A line may hold several readings.
                if (items.Count > Payload.MaxReadings)
                    throw Payload.TooMany();
            }
            return items;
        }
    }

    static List<JsonItem> ReadAll(ReadOnlyMemory<byte> payload, JsonFields fields, ref int extras)
    {
        // Neither reader checks the text inside strings.
        if (!Utf8.IsValid(payload.Span))
            throw new NotJsonException(PayloadFormat.Explain(payload.Span) ?? "not JSON: it is not valid UTF-8");
        try
        {
            return PlainJson.TryRead(payload.Span, fields) ?? GeneralJson.Read(payload, fields, ref extras);
        }
        catch (NotJsonException e)
        {
            throw new NotJsonException(PayloadFormat.Explain(payload.Span) ?? e.Message);
        }
    }
}
