using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>
/// Which of several cells a device belongs to, by its name alone: rendezvous hashing. Every agent gets the same answer without asking
/// anybody. Adding a cell moves devices only to the new one: of n + 1 cells, it gets about one device in n + 1.
/// </summary>
/// <remarks>
/// The weight of a cell is the first 8 bytes, as a big-endian number, of SHA-256 of <c>DEVICE/CELL</c>, for example <c>pi-attic/2</c> in
/// UTF-8. The cell with the highest weight has the device. The formula is a contract: a change would move devices. Thread-safe.
/// </remarks>
public static class CellHash
{
    /// <summary>Cells an installation may have.</summary>
    public const int MostCells = 1000;

    /// <summary>The cell of a device.</summary>
    /// <param name="deviceId">Its name.</param>
    /// <param name="cells">How many there are, 1 to <see cref="MostCells"/>.</param>
    /// <returns>0 to <paramref name="cells"/> - 1.</returns>
    public static int CellOf(string deviceId, int cells)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cells, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cells, MostCells);
        var (best, bestWeight) = (0, Weight(deviceId, 0));
        for (var cell = 1; cell < cells; cell++)
        {
            var weight = Weight(deviceId, cell);
            if (weight > bestWeight)
                (best, bestWeight) = (cell, weight);
        }
        return best;
    }

    static ulong Weight(string deviceId, int cell)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{deviceId}/{cell}")), hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}
