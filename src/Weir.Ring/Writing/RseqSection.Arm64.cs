namespace Weir.Ring;

internal static unsafe partial class RseqSection
{
    /// <summary>The section for Arm64; each offset is that of a label in the listing.</summary>
    internal static SectionCode Arm64 => new(
        Arm64Listing.ToArray(), Start: 0, Entry: 0xe8, Done: 0x15c, Abort: 0x170, Signature: 0xd428bc00,
        SingleStore: [
            (0x154, [
                0x1f, 0x20, 0x03, 0xd5,         // nop
                0x46, 0x00, 0x00, 0xf9,         // str x6, [x2]
            ]),
        ]);

    /// <summary>
    /// Machine code, and beside each instruction what it says (a test disassembles the bytes and compares). A line that ends in a colon
    /// is a label.
    /// </summary>
    private static ReadOnlySpan<byte> Arm64Listing =>
    [
        // x0 rseq area of this thread, x1 block; x0 stays until "publish". x2 guard, x3 where the next copy goes, x4 what from,
        // x5 its bytes. The section begins with what is rare, so that the usual way, from "entry" to "done", is
        // straight.

        // start:

        // w8 1 + patches still to come, x9 the next one.
        // patches:
        0x1f, 0x05, 0x00, 0x71,         // cmp w8, #0x1
        0xe0, 0x05, 0x00, 0x54,         // b.eq tail
        0x23, 0x11, 0x40, 0xa9,         // ldp x3, x4, [x9]
        0x25, 0x09, 0x40, 0xf9,         // ldr x5, [x9, #16]
        0x29, 0x61, 0x00, 0x91,         // add x9, x9, #0x18

        // Writes exactly x5 bytes, by moves that may overlap; x10 and x11 are the ends. Eight aligned bytes are one store, for whoever
        // reads them meanwhile.
        // copy:
        0x8a, 0x00, 0x05, 0x8b,         // add x10, x4, x5
        0x6b, 0x00, 0x05, 0x8b,         // add x11, x3, x5
        0xbf, 0x20, 0x00, 0xf1,         // cmp x5, #0x8
        0xa3, 0x01, 0x00, 0x54,         // b.cc short_copy
        0xbf, 0x40, 0x00, 0xf1,         // cmp x5, #0x10
        0x48, 0x03, 0x00, 0x54,         // b.hi long_copy
        0x86, 0x00, 0x40, 0xf9,         // ldr x6, [x4]
        0x47, 0x81, 0x5f, 0xf8,         // ldur x7, [x10, #-8]
        0x66, 0x00, 0x00, 0xf9,         // str x6, [x3]
        0x67, 0x81, 0x1f, 0xf8,         // stur x7, [x11, #-8]

        // w8: 0 behind the payload, 1 behind the head, more behind a patch.
        // copied:
        0xe3, 0x03, 0x0b, 0xaa,         // mov x3, x11
        0x48, 0x08, 0x00, 0x34,         // cbz w8, publish
        0x08, 0x05, 0x00, 0x51,         // sub w8, w8, #0x1
        0x48, 0x07, 0x00, 0x34,         // cbz w8, payload

        // A patch before all that follows it: one may take sub-buffers from under a reader before the next writes into them. Partner: the
        // barrier between a reader's copy of bytes and its look whether they were still its own.
        0xbf, 0x3a, 0x03, 0xd5,         // dmb ishst
        0xec, 0xff, 0xff, 0x17,         // b patches

        // short_copy:
        0xbf, 0x10, 0x00, 0xf1,         // cmp x5, #0x4
        0xc3, 0x00, 0x00, 0x54,         // b.cc tiny_copy
        0x86, 0x00, 0x40, 0xb9,         // ldr w6, [x4]
        0x47, 0xc1, 0x5f, 0xb8,         // ldur w7, [x10, #-4]
        0x66, 0x00, 0x00, 0xb9,         // str w6, [x3]
        0x67, 0xc1, 0x1f, 0xb8,         // stur w7, [x11, #-4]
        0xf4, 0xff, 0xff, 0x17,         // b copied

        // 0 to 3 bytes.
        // tiny_copy:
        0x65, 0xfe, 0xff, 0xb4,         // cbz x5, copied
        0x46, 0xf1, 0x5f, 0x38,         // ldurb w6, [x10, #-1]
        0x66, 0xf1, 0x1f, 0x38,         // sturb w6, [x11, #-1]
        0xbf, 0x08, 0x00, 0xf1,         // cmp x5, #0x2
        0xe3, 0xfd, 0xff, 0x54,         // b.cc copied
        0x86, 0x00, 0x40, 0x79,         // ldrh w6, [x4]
        0x66, 0x00, 0x00, 0x79,         // strh w6, [x3]
        0xec, 0xff, 0xff, 0x17,         // b copied

        // long_copy:
        0x40, 0x01, 0xdf, 0x3c,         // ldur q0, [x10, #-16]
        0x60, 0x01, 0x9f, 0x3c,         // stur q0, [x11, #-16]
        0x6c, 0x41, 0x00, 0xd1,         // sub x12, x11, #0x10

        // next16:
        0x80, 0x04, 0xc1, 0x3c,         // ldr q0, [x4], #16
        0x60, 0x04, 0x81, 0x3c,         // str q0, [x3], #16
        0x7f, 0x00, 0x0c, 0xeb,         // cmp x3, x12
        0xa3, 0xff, 0xff, 0x54,         // b.cc next16
        0xe4, 0xff, 0xff, 0x17,         // b copied

        // extras:
        0x28, 0xc8, 0x40, 0x39,         // ldrb w8, [x1, #50]
        0x08, 0x05, 0x00, 0x11,         // add w8, w8, #0x1
        0x29, 0x40, 0x02, 0x91,         // add x9, x1, #0x90
        0xd1, 0xff, 0xff, 0x17,         // b patches

        // tail:
        0x26, 0xcc, 0x40, 0x39,         // ldrb w6, [x1, #51]
        0xa6, 0x02, 0x00, 0x34,         // cbz w6, head
        0x27, 0x40, 0x40, 0xf9,         // ldr x7, [x1, #128]
        0xff, 0x00, 0x00, 0xf9,         // str xzr, [x7]
        0x12, 0x00, 0x00, 0x14,         // b head

        // any_head:
        0x24, 0x00, 0x01, 0x91,         // add x4, x1, #0x40
        0x28, 0x00, 0x80, 0x52,         // mov w8, #0x1
        0xce, 0xff, 0xff, 0x17,         // b copy

        // any_payload:
        0x08, 0x00, 0x80, 0x52,         // mov w8, #0x0
        0xcc, 0xff, 0xff, 0x17,         // b copy

        // Announce the section to the kernel. From here to "done" a preemption, a migration or a signal leads to "abort". (Entered with the
        // announcement of an earlier call still standing, it may lead there even before: nothing has been done yet.)
        // entry:
        0xc2, 0x04, 0x00, 0x10,         // adr x2, descriptor
        0x02, 0x04, 0x00, 0xf9,         // str x2, [x0, #8]

        // Is this the CPU that the record was staged on, and has nobody committed since? Plain loads: only this CPU stores there, and
        // what it stored is what it sees; the kernel has barriers where it moves a thread.
        0x23, 0x10, 0x45, 0x29,         // ldp w3, w4, [x1, #40]
        0x05, 0x68, 0x64, 0xb8,         // ldr w5, [x0, x4]
        0xbf, 0x00, 0x03, 0x6b,         // cmp w5, w3
        0x21, 0x03, 0x00, 0x54,         // b.ne stale
        0x22, 0x0c, 0x40, 0xa9,         // ldp x2, x3, [x1]
        0x44, 0x00, 0x40, 0xf9,         // ldr x4, [x2]
        0x9f, 0x00, 0x03, 0xeb,         // cmp x4, x3
        0xa1, 0x02, 0x00, 0x54,         // b.ne stale
        0x28, 0x64, 0x40, 0x79,         // ldrh w8, [x1, #50]
        0xe8, 0xfc, 0xff, 0x35,         // cbnz w8, extras

        // head:
        0x23, 0x10, 0x40, 0xf9,         // ldr x3, [x1, #32]
        0x25, 0x60, 0x40, 0x79,         // ldrh w5, [x1, #48]
        0xbf, 0x10, 0x00, 0x71,         // cmp w5, #0x4
        0x81, 0xfd, 0xff, 0x54,         // b.ne any_head
        0x26, 0x40, 0x40, 0xb9,         // ldr w6, [x1, #64]
        0x66, 0x44, 0x00, 0xb8,         // str w6, [x3], #4

        // payload:
        0x25, 0x34, 0x40, 0xb9,         // ldr w5, [x1, #52]
        0x24, 0x1c, 0x40, 0xf9,         // ldr x4, [x1, #56]
        0xbf, 0x20, 0x00, 0x71,         // cmp w5, #0x8
        0x21, 0xfd, 0xff, 0x54,         // b.ne any_payload
        0x86, 0x00, 0x40, 0xf9,         // ldr x6, [x4]
        0x66, 0x00, 0x00, 0xf9,         // str x6, [x3]

        // publish:
        0x26, 0x1c, 0x41, 0xa9,         // ldp x6, x7, [x1, #16]
        0x00, 0x00, 0x80, 0x52,         // mov w0, #0x0

        // The copies before the commit. Partner: the acquiring load of the guard's word by whoever reads the copies after it.
        0xbf, 0x3a, 0x03, 0xd5,         // dmb ishst

        // A pair is stored by the exclusive instructions: every processor does that in one access, and what stxp says of itself, 0 stored
        // or 1 not, is what is returned. (stp is one access on newer processors only; on others an abort could come between its halves.)
        0x43, 0x10, 0x7f, 0xc8,         // ldxp x3, x4, [x2]

        // commit:
        0x46, 0x1c, 0x20, 0xc8,         // stxp w0, x6, x7, [x2]

        // done:
        0xc0, 0x03, 0x5f, 0xd6,         // ret

        // stale:
        0x1f, 0x04, 0x00, 0xf9,         // str xzr, [x0, #8]
        0x20, 0x00, 0x80, 0x52,         // mov w0, #0x1
        0xc0, 0x03, 0x5f, 0xd6,         // ret
        0x00, 0xbc, 0x28, 0xd4,         // brk #0x45e0

        // The kernel comes here, after the signature that it demands before every abort address.
        // abort:
        0x40, 0x00, 0x80, 0x52,         // mov w0, #0x2
        0xc0, 0x03, 0x5f, 0xd6,         // ret
    ];
}
