using System.Text.Json;
using System.Xml;

namespace ThermalStreaming.Thermalctl;

/// <summary>Counts what has arrived in the local stand-ins for Snowflake and S3.</summary>
sealed class StandIns(RunningProject project)
{
    const string Tables = "emulator/tables";
    const int SnowflakePort = 8090;
    const int BucketPort = 4566;

    public async Task<bool> AnswerAsync(IReadOnlyList<ServiceContainer> replicas, CancellationToken cancellationToken) =>
        await project.StandInAsync(replicas, "snowflake", SnowflakePort, Tables, cancellationToken) is not null
        && await project.StandInAsync(replicas, "localstack", BucketPort, Bucket, cancellationToken) is not null;

    /// <summary>Rows committed in each table; null if Snowflake's stand-in does not answer properly.</summary>
    public async Task<IReadOnlyDictionary<string, long>?> RowsAsync(
        IReadOnlyList<ServiceContainer> replicas,
        CancellationToken cancellationToken
    )
    {
        if (await project.StandInAsync(replicas, "snowflake", SnowflakePort, Tables, cancellationToken) is not { } text)
            return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            return document
                .RootElement.EnumerateArray()
                .ToDictionary(table => table.GetProperty("name").GetString() ?? "", table => table.GetProperty("rows").GetInt64());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Objects in the bucket under the prefix; null if S3's stand-in does not answer properly.</summary>
    public async Task<long?> ObjectsAsync(IReadOnlyList<ServiceContainer> replicas, CancellationToken cancellationToken)
    {
        var prefix = Uri.EscapeDataString(project.Settings.Value("services", "localstack", "environment", "S3_FILE_PREFIX") ?? "");
        var (count, token) = (0L, (string?)"");
        while (token is not null)
        {
            var from = token.Length > 0 ? $"&continuation-token={Uri.EscapeDataString(token)}" : "";
            var page = $"{Bucket}?list-type=2&prefix={prefix}{from}";
            if (await project.StandInAsync(replicas, "localstack", BucketPort, page, cancellationToken) is not { } text)
                return null;
            try
            {
                (var keys, token) = Read(text);
                count += keys;
            }
            catch (XmlException)
            {
                return null;
            }
        }
        return count;
    }

    string Bucket => project.Settings.Value("services", "localstack", "environment", "S3_BUCKET") ?? "";

    // A page holds up to 1,000 objects.
    static (long Keys, string? Next) Read(string page)
    {
        using var xml = XmlReader.Create(new StringReader(page));
        var (keys, next) = (0L, (string?)null);
        while (xml.Read())
        {
            if (xml is not { NodeType: XmlNodeType.Element })
                continue;
            if (xml.LocalName == "Key")
                keys++;
            else if (xml.LocalName == "NextContinuationToken" && xml.Read())
                next = xml.Value;
        }
        return (keys, next);
    }
}
