using System.Buffers.Binary;
using System.Text;

namespace ThermalStreaming.Bench.Tests;

/// <summary>An ELF file for a 64-bit little-endian processor, with nothing but symbols in it.</summary>
sealed class MadeUpElf
{
    public const int Text = 1;
    public const int Methods = 2;
    public const byte LocalFunction = 2;
    public const byte GlobalFunction = 1 << 4 | 2;
    public const byte LocalMark = 0;
    public const byte SectionItself = 3;

    /// <summary>The name of the section that methods are in.</summary>
    public string MethodSection { get; init; } = "__managedcode";

    /// <summary>Whether it has a table of symbols, as before <c>strip</c>.</summary>
    public bool HasSymbols { get; init; } = true;

    /// <summary>Names, addresses, what they are (binding and type), and their section.</summary>
    public List<(string Name, ulong Address, byte Kind, ushort Section)> Symbols { get; } = [];

    /// <summary>A program with methods of these names, and their addresses.</summary>
    public static byte[] Program(params (string Name, ulong Address)[] methods)
    {
        var elf = new MadeUpElf();
        elf.Symbols.AddRange(methods.Select(method => (method.Name, method.Address, LocalFunction, (ushort)Methods)));
        return elf.Build();
    }

    public byte[] Build()
    {
        using var file = new MemoryStream();
        file.Write(new byte[64]);
        var names = new MemoryStream();
        var symbols = new MemoryStream();
        // The first symbol has neither name nor section.
        names.WriteByte(0);
        symbols.Write(new byte[24]);
        foreach (var (name, address, kind, section) in Symbols)
        {
            var symbol = new byte[24];
            BinaryPrimitives.WriteUInt32LittleEndian(symbol, (uint)names.Length);
            symbol[4] = kind;
            BinaryPrimitives.WriteUInt16LittleEndian(symbol.AsSpan(6), section);
            BinaryPrimitives.WriteUInt64LittleEndian(symbol.AsSpan(8), address);
            symbols.Write(symbol);
            names.Write(Encoding.UTF8.GetBytes(name + "\0"));
        }
        (string Name, uint Type, byte[] Content, uint Link)[] sections =
        [
            ("", 0, [], 0),
            (".text", 1, [], 0),
            (MethodSection, 1, [], 0),
            (".symtab", HasSymbols ? 2u : 1u, symbols.ToArray(), 4),
            (".strtab", 3, names.ToArray(), 0),
            (".shstrtab", 3, [], 0),
        ];
        var titles = string.Join('\0', sections.Select(section => section.Name)) + "\0";
        sections[^1].Content = Encoding.UTF8.GetBytes(titles);
        var headers = new MemoryStream();
        var title = 0;
        foreach (var (name, type, content, link) in sections)
        {
            var header = new byte[64];
            BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)title);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), type);
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(24), (ulong)file.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(32), (ulong)content.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(40), link);
            headers.Write(header);
            file.Write(content);
            title += name.Length + 1;
        }
        var start = file.Length;
        file.Write(headers.ToArray());
        var made = file.ToArray();
        new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1 }.CopyTo(made, 0);
        BinaryPrimitives.WriteInt64LittleEndian(made.AsSpan(40), start);
        BinaryPrimitives.WriteUInt16LittleEndian(made.AsSpan(60), (ushort)sections.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(made.AsSpan(62), (ushort)(sections.Length - 1));
        return made;
    }
}
