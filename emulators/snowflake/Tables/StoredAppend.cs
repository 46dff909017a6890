using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>One committed append in the store.</summary>
/// <param name="Id">Its number in the store; grows from append to append.</param>
/// <param name="Pipe">Name of the pipe of its rows.</param>
/// <param name="Channel">Name of the channel.</param>
/// <param name="AtMs">When it arrived, milliseconds since 1970.</param>
/// <param name="Tokens">Its offset tokens.</param>
/// <param name="FirstRow">Number of its first row in the table, from 1.</param>
/// <param name="FirstError">Number of its first rejected row, from 1.</param>
/// <param name="Encoding">How its rows are compressed.</param>
/// <param name="Rejections">The rejected lines, from 0, with their errors.</param>
/// <param name="BodyOffset">Start of its rows in the body file.</param>
/// <param name="BodyLength">Bytes of its rows there.</param>
/// <param name="Crc32C">Checksum of these bytes.</param>
sealed record StoredAppend(
    long Id,
    string Pipe,
    string Channel,
    long AtMs,
    OffsetTokens Tokens,
    long FirstRow,
    long FirstError,
    RowEncoding Encoding,
    Dictionary<int, string> Rejections,
    long BodyOffset,
    int BodyLength,
    uint Crc32C
)
{
    /// <summary>The columns that <see cref="Read"/> expects.</summary>
    public const string Select = """
        SELECT a.id, c.pipe, c.name, a.at_ms, a.start_token, a.end_token, a.first_row, a.first_error,
               a.encoding, a.errors, a.rejections, a.body_offset, a.body_length, a.crc32c
        FROM appends AS a CROSS JOIN channels AS c ON c.id = a.channel
        """;

    public static StoredAppend Read(SqliteDataReader row) =>
        new(
            row.GetInt64(0),
            row.GetString(1),
            row.GetString(2),
            row.GetInt64(3),
            new OffsetTokens(row.GetValue(4) as string, row.GetValue(5) as string),
            row.GetInt64(6),
            row.GetInt64(7),
            (RowEncoding)row.GetInt32(8),
            Unpack(row.GetString(9), row.GetFieldValue<byte[]>(10)),
            row.GetInt64(11),
            row.GetInt32(12),
            (uint)row.GetInt64(13)
        );

    /// <summary>The columns <c>errors</c> and <c>rejections</c>: rows of one sender fail for few reasons, so each is stored once.</summary>
    public static (string Errors, byte[] Rejections) Pack(IReadOnlyList<(int Line, string Error)> rejections)
    {
        var numbers = new Dictionary<string, int>();
        var packed = new byte[rejections.Count * 8];
        for (var i = 0; i < rejections.Count; i++)
        {
            if (!numbers.TryGetValue(rejections[i].Error, out var number))
                numbers[rejections[i].Error] = number = numbers.Count;
            BinaryPrimitives.WriteInt32LittleEndian(packed.AsSpan(i * 8), rejections[i].Line);
            BinaryPrimitives.WriteInt32LittleEndian(packed.AsSpan(i * 8 + 4), number);
        }
        return ($"[{string.Join(',', numbers.Keys.Select(error => $"\"{JsonEncodedText.Encode(error)}\""))}]", packed);
    }

    static Dictionary<int, string> Unpack(string errors, byte[] rejections)
    {
        if (rejections.Length == 0)
            return [];
        using var json = JsonDocument.Parse(errors);
        string[] texts = [.. json.RootElement.EnumerateArray().Select(error => error.GetString()!)];
        var unpacked = new Dictionary<int, string>(rejections.Length / 8);
        for (var i = 0; i < rejections.Length; i += 8)
        {
            unpacked[BinaryPrimitives.ReadInt32LittleEndian(rejections.AsSpan(i))] = texts[
                BinaryPrimitives.ReadInt32LittleEndian(rejections.AsSpan(i + 4))
            ];
        }
        return unpacked;
    }
}
