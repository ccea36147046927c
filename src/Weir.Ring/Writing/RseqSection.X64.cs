namespace Weir.Ring;

internal static unsafe partial class RseqSection
{
    /// <summary>The section for x86-64; each offset is that of a label in the listing.</summary>
    internal static SectionCode X64 => new(
        X64Listing.ToArray(), Start: 0, Entry: 0xec, Done: 0x150, Abort: 0x163, Signature: 0x53053053,
        SingleStore: [
            (0x14b, [0x66, 0x90,                                // nop
                     0x4d, 0x89, 0x1a]),                        // mov [r10], r11
        ]);

    /// <summary>
    /// Machine code, and beside each instruction what it says (Intel order; a test disassembles the bytes and compares). A line that
    /// ends in a colon is a label.
    /// </summary>
    private static ReadOnlySpan<byte> X64Listing =>
    [
        // rdi rseq area of this thread, rsi block; both stay. r10 guard, r9 where the next copy goes, r8 what from, rcx its bytes.
        // The section begins with what is rare, so that the usual way, from "entry" to "done", is straight.

        // start:

        // edx 1 + patches still to come, r11 the next one.
        // patches:
        0x83, 0xfa, 0x01,                                       // cmp edx, 1
        0x0f, 0x84, 0xb8, 0x00, 0x00, 0x00,                     // je tail
        0x4d, 0x8b, 0x0b,                                       // mov r9, [r11]
        0x4d, 0x8b, 0x43, 0x08,                                 // mov r8, [r11+8]
        0x49, 0x8b, 0x4b, 0x10,                                 // mov rcx, [r11+0x10]
        0x49, 0x83, 0xc3, 0x18,                                 // add r11, 0x18

        // Writes exactly rcx bytes, by moves that may overlap. Eight aligned bytes are one store, for whoever reads them meanwhile.
        // copy:
        0x48, 0x83, 0xf9, 0x08,                                 // cmp rcx, 8
        0x72, 0x2a,                                             // jb short_copy
        0x48, 0x83, 0xf9, 0x10,                                 // cmp rcx, 0x10
        0x77, 0x5c,                                             // ja long_copy
        0x49, 0x8b, 0x00,                                       // mov rax, [r8]
        0x49, 0x89, 0x01,                                       // mov [r9], rax
        0x49, 0x8b, 0x44, 0x08, 0xf8,                           // mov rax, [r8+rcx-8]
        0x49, 0x89, 0x44, 0x09, 0xf8,                           // mov [r9+rcx-8], rax

        // edx: 0 behind the payload, 1 behind the head, more behind a patch.
        // copied:
        0x49, 0x01, 0xc9,                                       // add r9, rcx
        0x83, 0xea, 0x01,                                       // sub edx, 1
        0x0f, 0x82, 0xfe, 0x00, 0x00, 0x00,                     // jb publish
        0x0f, 0x84, 0xe6, 0x00, 0x00, 0x00,                     // je payload
        0xeb, 0xb8,                                             // jmp patches

        // short_copy:
        0x48, 0x83, 0xf9, 0x04,                                 // cmp rcx, 4
        0x72, 0x12,                                             // jb tiny_copy
        0x41, 0x8b, 0x00,                                       // mov eax, [r8]
        0x41, 0x89, 0x01,                                       // mov [r9], eax
        0x41, 0x8b, 0x44, 0x08, 0xfc,                           // mov eax, [r8+rcx-4]
        0x41, 0x89, 0x44, 0x09, 0xfc,                           // mov [r9+rcx-4], eax
        0xeb, 0xd4,                                             // jmp copied

        // 0 to 3 bytes.
        // tiny_copy:
        0x48, 0x85, 0xc9,                                       // test rcx, rcx
        0x74, 0xcf,                                             // je copied
        0x41, 0x0f, 0xb6, 0x44, 0x08, 0xff,                     // movzx eax, byte [r8+rcx-1]
        0x41, 0x88, 0x44, 0x09, 0xff,                           // mov [r9+rcx-1], al
        0x48, 0x83, 0xf9, 0x02,                                 // cmp rcx, 2
        0x72, 0xbe,                                             // jb copied
        0x41, 0x0f, 0xb7, 0x00,                                 // movzx eax, word [r8]
        0x66, 0x41, 0x89, 0x01,                                 // mov [r9], ax
        0xeb, 0xb4,                                             // jmp copied

        // long_copy:
        0xf3, 0x41, 0x0f, 0x6f, 0x4c, 0x08, 0xf0,               // movdqu xmm1, [r8+rcx-0x10]
        0xf3, 0x41, 0x0f, 0x7f, 0x4c, 0x09, 0xf0,               // movdqu [r9+rcx-0x10], xmm1
        0x48, 0x83, 0xe9, 0x10,                                 // sub rcx, 0x10
        0x31, 0xc0,                                             // xor eax, eax

        // next16:
        0xf3, 0x41, 0x0f, 0x6f, 0x0c, 0x00,                     // movdqu xmm1, [r8+rax]
        0xf3, 0x41, 0x0f, 0x7f, 0x0c, 0x01,                     // movdqu [r9+rax], xmm1
        0x48, 0x83, 0xc0, 0x10,                                 // add rax, 0x10
        0x48, 0x39, 0xc8,                                       // cmp rax, rcx
        0x72, 0xeb,                                             // jb next16
        0x48, 0x83, 0xc1, 0x10,                                 // add rcx, 0x10
        0xeb, 0x85,                                             // jmp copied

        // extras:
        0x0f, 0xb6, 0x56, 0x32,                                 // movzx edx, byte [rsi+0x32]
        0xff, 0xc2,                                             // inc edx
        0x4c, 0x8d, 0x9e, 0x90, 0x00, 0x00, 0x00,               // lea r11, [rsi+0x90]
        0xe9, 0x3f, 0xff, 0xff, 0xff,                           // jmp patches

        // tail:
        0x80, 0x7e, 0x33, 0x00,                                 // cmp byte [rsi+0x33], 0
        0x74, 0x4e,                                             // je head
        0x48, 0x8b, 0x86, 0x80, 0x00, 0x00, 0x00,               // mov rax, [rsi+0x80]
        0x48, 0xc7, 0x00, 0x00, 0x00, 0x00, 0x00,               // mov qword [rax], 0
        0xeb, 0x3e,                                             // jmp head

        // any_head:
        0x4c, 0x8d, 0x46, 0x40,                                 // lea r8, [rsi+0x40]
        0xba, 0x01, 0x00, 0x00, 0x00,                           // mov edx, 1
        0xe9, 0x33, 0xff, 0xff, 0xff,                           // jmp copy

        // any_payload:
        0x31, 0xd2,                                             // xor edx, edx
        0xe9, 0x2c, 0xff, 0xff, 0xff,                           // jmp copy

        // Announce the section to the kernel. From here to "done" a preemption, a migration or a signal leads to "abort". (Entered with the
        // announcement of an earlier call still standing, it may lead there even before: nothing has been done yet.)
        // entry:
        0x48, 0x8d, 0x05, 0x8d, 0x00, 0x00, 0x00,               // lea rax, [rel descriptor]
        0x48, 0x89, 0x47, 0x08,                                 // mov [rdi+8], rax

        // Is this the CPU that the record was staged on, and has nobody committed since?
        0x8b, 0x4e, 0x2c,                                       // mov ecx, [rsi+0x2c]
        0x8b, 0x0c, 0x0f,                                       // mov ecx, [rdi+rcx]
        0x3b, 0x4e, 0x28,                                       // cmp ecx, [rsi+0x28]
        0x75, 0x51,                                             // jne stale
        0x4c, 0x8b, 0x16,                                       // mov r10, [rsi]
        0x48, 0x8b, 0x46, 0x08,                                 // mov rax, [rsi+8]
        0x49, 0x39, 0x02,                                       // cmp [r10], rax
        0x75, 0x45,                                             // jne stale
        0x66, 0x83, 0x7e, 0x32, 0x00,                           // cmp word [rsi+0x32], 0
        0x75, 0x9a,                                             // jne extras

        // head:
        0x4c, 0x8b, 0x4e, 0x20,                                 // mov r9, [rsi+0x20]
        0x0f, 0xb7, 0x4e, 0x30,                                 // movzx ecx, word [rsi+0x30]
        0x83, 0xf9, 0x04,                                       // cmp ecx, 4
        0x75, 0xb5,                                             // jne any_head
        0x8b, 0x46, 0x40,                                       // mov eax, [rsi+0x40]
        0x41, 0x89, 0x01,                                       // mov [r9], eax
        0x49, 0x83, 0xc1, 0x04,                                 // add r9, 4

        // payload:
        0x8b, 0x4e, 0x34,                                       // mov ecx, [rsi+0x34]
        0x4c, 0x8b, 0x46, 0x38,                                 // mov r8, [rsi+0x38]
        0x83, 0xf9, 0x08,                                       // cmp ecx, 8
        0x75, 0xad,                                             // jne any_payload
        0x49, 0x8b, 0x00,                                       // mov rax, [r8]
        0x49, 0x89, 0x01,                                       // mov [r9], rax

        // Two loads, as wide as the stores before them: one of 16 bytes would wait until those have left the store buffer.
        // publish:
        0x4c, 0x8b, 0x5e, 0x10,                                 // mov r11, [rsi+0x10]
        0x66, 0x49, 0x0f, 0x6e, 0xc3,                           // movq xmm0, r11
        0x0f, 0x16, 0x46, 0x18,                                 // movhps xmm0, [rsi+0x18]

        // commit:
        0x66, 0x41, 0x0f, 0x7f, 0x02,                           // movdqa [r10], xmm0

        // done:
        0x31, 0xc0,                                             // xor eax, eax
        0xc3,                                                   // ret

        // stale:
        0x31, 0xc0,                                             // xor eax, eax
        0x48, 0x89, 0x47, 0x08,                                 // mov [rdi+8], rax
        0xff, 0xc0,                                             // inc eax
        0xc3,                                                   // ret
        0x0f, 0xb9, 0x3d, 0x53, 0x30, 0x05, 0x53,               // ud1 edi, [rel 0x530531b6]

        // The kernel comes here, after the signature that it demands before every abort address.
        // abort:
        0xb8, 0x02, 0x00, 0x00, 0x00,                           // mov eax, 2
        0xc3,                                                   // ret
    ];
}
