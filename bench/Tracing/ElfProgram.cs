using System.Buffers.Binary;
using System.Text;

namespace ThermalStreaming.Bench;

/// <summary>A natively compiled program with symbols: an ELF file for a 64-bit little-endian processor (System V ABI, chapter 4).</summary>
sealed class ElfProgram
{
    /// <summary>The compiler puts compiled methods, and nothing else, into a section of their own.</summary>
    const string MethodSection = "__managedcode";

    const int SectionBytes = 64;
    const int SymbolBytes = 24;
    const uint SymbolTable = 2;
    const int Function = 2;

    readonly byte[] file;

    ElfProgram(byte[] file) => this.file = file;

    /// <summary>The methods of a program by address. Several may have the same one, with different names.</summary>
    /// <param name="file">The file's content.</param>
    /// <exception cref="InvalidDataException">What the file is, or what it does not have.</exception>
    public static IReadOnlyList<CompiledMethod> MethodsOf(byte[] file)
    {
        if (!file.AsSpan().StartsWith("\u007fELF\u0002\u0001"u8))
            throw new InvalidDataException("It is not an ELF file for a 64-bit little-endian processor");
        try
        {
            return new ElfProgram(file).Methods();
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException("It is cut off", e);
        }
    }

    List<CompiledMethod> Methods()
    {
        var sections = Number16(file.AsSpan(60));
        var (code, table) = (-1, -1);
        for (var section = 0; section < sections; section++)
        {
            if (NameOf(section) == MethodSection)
                code = section;
            if (Number32(Header(section)[4..]) == SymbolTable)
                table = section;
        }
        if (code < 0)
            throw new InvalidDataException($"It has no section {MethodSection}, so .NET did not compile it natively");
        if (table < 0)
            throw new InvalidDataException("It has no symbols");
        var symbols = Content(table);
        var names = Content((int)Number32(Header(table)[40..]));
        var methods = new List<CompiledMethod>();
        for (; symbols.Length > 0; symbols = symbols[SymbolBytes..])
        {
            // The linker's marks at both ends of the section are no functions.
            if (Number16(symbols[6..]) == code && (symbols[4] & 15) == Function)
                methods.Add(new CompiledMethod(Number64(symbols[8..]), Text(names, Number32(symbols))));
        }
        return [.. methods.OrderBy(method => method.Address).ThenBy(method => method.Name, StringComparer.Ordinal)];
    }

    string NameOf(int section) => Text(Content(Number16(file.AsSpan(62))), Number32(Header(section)));

    ReadOnlySpan<byte> Header(int section) => At(Number64(file.AsSpan(40)) + (ulong)section * SectionBytes, SectionBytes);

    ReadOnlySpan<byte> Content(int section) => At(Number64(Header(section)[24..]), Number64(Header(section)[32..]));

    ReadOnlySpan<byte> At(ulong offset, ulong length) => file.AsSpan(checked((int)offset), checked((int)length));

    static string Text(ReadOnlySpan<byte> names, uint offset)
    {
        var name = names[checked((int)offset)..];
        return Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]);
    }

    static ushort Number16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    static uint Number32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    static ulong Number64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);
}
