namespace ThermalStreaming.Bench.Tests;

/// <summary>Which methods a natively compiled program has.</summary>
public sealed class ElfProgramTests
{
    [Fact]
    public void Methods_are_those_of_their_section_by_address()
    {
        var elf = new MadeUpElf();
        elf.Symbols.AddRange([
            ("Later", 0x2000, MadeUpElf.LocalFunction, MadeUpElf.Methods),
            ("main", 0x900, MadeUpElf.GlobalFunction, MadeUpElf.Text),
            ("Sooner", 0x1000, MadeUpElf.GlobalFunction, MadeUpElf.Methods),
            ("", 0x1000, MadeUpElf.SectionItself, MadeUpElf.Methods),
            ("__start___managedcode", 0x1000, MadeUpElf.LocalMark, MadeUpElf.Methods),
            ("__stop___managedcode", 0x3000, MadeUpElf.LocalMark, MadeUpElf.Methods),
            ("Also sooner", 0x1000, MadeUpElf.LocalFunction, MadeUpElf.Methods),
        ]);

        Assert.Equal(
            [new CompiledMethod(0x1000, "Also sooner"), new CompiledMethod(0x1000, "Sooner"), new CompiledMethod(0x2000, "Later")],
            ElfProgram.MethodsOf(elf.Build())
        );
    }

    [Fact]
    public void A_file_without_methods_or_symbols_is_refused()
    {
        Assert.Equal("It has no symbols", Problem(new MadeUpElf { HasSymbols = false }.Build()));
        Assert.Equal(
            "It has no section __managedcode, so .NET did not compile it natively",
            Problem(new MadeUpElf { MethodSection = "__othercode" }.Build())
        );
        Assert.Equal("It is not an ELF file for a 64-bit little-endian processor", Problem("#!/bin/sh\n"u8.ToArray()));
    }

    [Fact]
    public void A_file_that_is_cut_off_anywhere_is_refused()
    {
        const int Identification = 6;
        var whole = MadeUpElf.Program(("A", 1), ("B", 2));

        Assert.Equal(2, ElfProgram.MethodsOf(whole).Count);
        for (var length = Identification; length < whole.Length; length++)
            Assert.Equal("It is cut off", Problem(whole[..length]));
    }

    static string Problem(byte[] file) => Assert.Throws<InvalidDataException>(() => ElfProgram.MethodsOf(file)).Message;
}
