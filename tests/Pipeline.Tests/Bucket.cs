using System.Text.Json;
using System.Xml.Linq;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>An object and its lines.</summary>
sealed record StoredObject(string Key, string ETag, IReadOnlyList<JsonElement> Lines);

/// <summary>The bucket of the S3 stand-in, read by plain HTTP. Not thread-safe.</summary>
sealed class Bucket(Uri address, string name, HttpClient http)
{
    static readonly XNamespace s3 = "http://s3.amazonaws.com/doc/2006-03-01/";

    readonly Dictionary<string, StoredObject> objects = [];

    public Uri Address => address;

    public string Name => name;

    /// <summary>The start-up script's last step is the notification.</summary>
    public async Task<bool> IsReadyAsync() =>
        (await TextAsync($"/{name}?notification")).Contains("QueueConfiguration", StringComparison.Ordinal);

    /// <summary>Every object below a prefix. One that has not changed is fetched once.</summary>
    public async Task<IReadOnlyList<StoredObject>> ObjectsAsync(string prefix = "")
    {
        var found = new List<StoredObject>();
        var token = "";
        do
        {
            var page = XDocument
                .Parse(
                    await TextAsync(
                        $"/{name}?list-type=2&prefix={Uri.EscapeDataString(prefix)}{(token.Length == 0 ? "" : $"&continuation-token={Uri.EscapeDataString(token)}")}"
                    )
                )
                .Root!;
            foreach (var entry in page.Elements(s3 + "Contents"))
            {
                var key = entry.Element(s3 + "Key")!.Value;
                var tag = entry.Element(s3 + "ETag")!.Value;
                if (!objects.TryGetValue(key, out var known) || known.ETag != tag)
                    objects[key] = known = new StoredObject(
                        key,
                        tag,
                        Lines(key, await TextAsync($"/{name}/{string.Join('/', key.Split('/').Select(Uri.EscapeDataString))}"))
                    );
                found.Add(known);
            }
            token = page.Element(s3 + "NextContinuationToken")?.Value ?? "";
        } while (token.Length > 0);
        return found;
    }

    static List<JsonElement> Lines(string key, string text)
    {
        if (!text.EndsWith('\n'))
            throw new InvalidDataException($"{key} does not end with a line feed: it is cut off, or not NDJSON.");
        try
        {
            return
            [
                .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line)),
            ];
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{key} is not NDJSON: {e.Message}", e);
        }
    }

    async Task<string> TextAsync(string path)
    {
        using var answer = await http.GetAsync(new Uri(address, path));
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? text : throw new HttpRequestException($"GET {path}: {(int)answer.StatusCode} {text}");
    }
}
