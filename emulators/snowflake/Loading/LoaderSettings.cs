using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Where the loader learns of new objects and fetches them. The names are those of the s3-forwarder.</summary>
sealed record LoaderSettings
{
    /// <summary>Name or URL of the queue that gets the bucket's notifications.</summary>
    public required string Queue { get; init; }

    /// <summary>Region that requests are signed for.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>The server of the queue; null: Amazon.</summary>
    public Uri? QueueEndpoint { get; init; }

    /// <summary>The server of the bucket; null: Amazon.</summary>
    public Uri? StoreEndpoint { get; init; }

    /// <summary>Reads the settings.</summary>
    /// <returns>The settings, null if the loader is off;
    /// the bucket, null if it is not set; and the prefix, with a slash at its end.</returns>
    public static (LoaderSettings? Loader, string? Bucket, string Prefix) Load(Settings settings)
    {
        var bucket = settings.OptionalText("S3_BUCKET", "The bucket that stands for <bucket> in the SQL files.");
        var prefix = settings.Text(
            "S3_FILE_PREFIX",
            "inverter-data/",
            "The prefix that stands for inverter-data/ behind it: where the s3-forwarder writes."
        );
        var queue = settings.OptionalText(
            "SQS_QUEUE",
            "Name or URL of the queue that announces new objects; without it, classic Snowpipe is off."
        );
        var region = settings.Text("AWS_REGION", "us-east-1", "Region of queue and bucket.");
        var store = Endpoint(settings, "S3_ENDPOINT_URL", "A server in place of Amazon S3, for example http://localstack:4566.");
        var server = Endpoint(settings, "SQS_ENDPOINT_URL", "The same for the queue; if not set, S3_ENDPOINT_URL.") ?? store;
        // The SDK reads these itself; they are here for --help.
        settings.Secret("AWS_ACCESS_KEY_ID", "Access key that may read queue and bucket. Without it: file, profile, role.");
        settings.Secret("AWS_SECRET_ACCESS_KEY", "Secret of the access key.");
        settings.OptionalText("AWS_SHARED_CREDENTIALS_FILE", "A credentials file in the AWS CLI's format; AWS_PROFILE names its section.");
        return (
            queue is null
                ? null
                : new LoaderSettings
                {
                    Queue = queue,
                    Region = region,
                    QueueEndpoint = server,
                    StoreEndpoint = store,
                },
            bucket,
            prefix.EndsWith('/') ? prefix : $"{prefix}/"
        );
    }

    static Uri? Endpoint(Settings settings, string key, string description)
    {
        if (settings.OptionalText(key, description) is not { } text)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
            return uri;
        settings.Problem($"{key} is '{text}'; it must be http://host:port or https://host:port.");
        return null;
    }
}
