namespace Weir.Ring;

public static unsafe partial class RseqSequence
{
    // Offsets in the listing of the labels that the descriptor names.
    private const int StartOffset = 0x19;
    private const int DoneOffset = 0x2b7;
    private const int AbortOffset = 0x2ca;

    /// <summary>Where the descriptor lies behind the code, aligned to 32 bytes as the kernel demands.</summary>
    private const int DescriptorOffset = 0x2e0;

    /// <summary>
    /// The sequence for x86-64: machine code, and beside each instruction what it says (Intel order; a test disassembles the bytes
    /// and compares). A line that ends in a colon is a label.
    /// </summary>
    private static ReadOnlySpan<byte> X64 =>
    [
        // rdi ring (RingMemory), rsi rseq area of this thread, rdx payload, rcx payload bytes, r8 event id.
        // These stay as they are until the end (the payload in r9, its length in r14), so an abort may begin again.
        // entry:
        0x53,                                                   // push rbx
        0x55,                                                   // push rbp
        0x41, 0x54,                                             // push r12
        0x41, 0x55,                                             // push r13
        0x41, 0x56,                                             // push r14
        0x49, 0x89, 0xd1,                                       // mov r9, rdx
        0x49, 0x89, 0xce,                                       // mov r14, rcx

        // Announce the section to the kernel. From here to "done" a preemption, a migration or a signal leads to "abort".
        // restart:
        0x48, 0x8d, 0x05, 0xcb, 0x02, 0x00, 0x00,               // lea rax, [rel descriptor]
        0x48, 0x89, 0x46, 0x08,                                 // mov [rsi+8], rax

        // r10 this CPU's stream, r11 its position, rbp packet bytes - 1, rdx the time.
        // start:
        0x45, 0x31, 0xed,                                       // xor r13d, r13d
        0x8b, 0x46, 0x04,                                       // mov eax, [rsi+4]
        0x3b, 0x07,                                             // cmp eax, [rdi]
        0x0f, 0x83, 0x5b, 0x02, 0x00, 0x00,                     // jae absent
        0x4c, 0x8b, 0x54, 0xc7, 0x40,                           // mov r10, [rdi+rax*8+0x40]
        0x4d, 0x85, 0xd2,                                       // test r10, r10
        0x0f, 0x84, 0x4d, 0x02, 0x00, 0x00,                     // je absent
        0x4d, 0x8b, 0x1a,                                       // mov r11, [r10]
        0x48, 0x8b, 0x6f, 0x08,                                 // mov rbp, [rdi+8]
        0x0f, 0x31,                                             // rdtsc
        0x48, 0xc1, 0xe2, 0x20,                                 // shl rdx, 0x20
        0x48, 0x09, 0xc2,                                       // or rdx, rax
        0x48, 0x89, 0xd0,                                       // mov rax, rdx
        0x49, 0x2b, 0x42, 0x08,                                 // sub rax, [r10+8]
        0x48, 0xc1, 0xe8, 0x1b,                                 // shr rax, 0x1b
        0x0f, 0x85, 0xcc, 0x00, 0x00, 0x00,                     // jne extended
        0x49, 0x83, 0xf8, 0x1f,                                 // cmp r8, 0x1f
        0x0f, 0x83, 0xc2, 0x00, 0x00, 0x00,                     // jae extended
        0x49, 0x8d, 0x5e, 0x04,                                 // lea rbx, [r14+4]
        0x4c, 0x89, 0xd8,                                       // mov rax, r11
        0x48, 0x21, 0xe8,                                       // and rax, rbp
        0x48, 0x01, 0xd8,                                       // add rax, rbx
        0x48, 0x39, 0xe8,                                       // cmp rax, rbp
        0x0f, 0x87, 0xe5, 0x00, 0x00, 0x00,                     // ja switch
        0x4d, 0x89, 0xdc,                                       // mov r12, r11
        0x4c, 0x23, 0x67, 0x10,                                 // and r12, [rdi+0x10]
        0x4f, 0x8d, 0xa4, 0x22, 0x00, 0x20, 0x00, 0x00,         // lea r12, [r10+r12+0x2000]

        // r12 where the record goes, rbx its bytes. Head: time << 5 | id.
        // compact:
        0x89, 0xd0,                                             // mov eax, edx
        0xc1, 0xe0, 0x05,                                       // shl eax, 5
        0x44, 0x09, 0xc0,                                       // or eax, r8d
        0x41, 0x89, 0x04, 0x24,                                 // mov [r12], eax
        0x49, 0x83, 0xc4, 0x04,                                 // add r12, 4

        // r11 becomes the new position. Copies reach exactly over the payload: two overlapping moves for 4 to 16 bytes.
        // copy:
        0x49, 0x01, 0xdb,                                       // add r11, rbx
        0x49, 0x83, 0xfe, 0x08,                                 // cmp r14, 8
        0x72, 0x38,                                             // jb short_payload
        0x49, 0x83, 0xfe, 0x10,                                 // cmp r14, 0x10
        0x0f, 0x86, 0xeb, 0x01, 0x00, 0x00,                     // jbe medium

        // long_payload:
        0xf3, 0x43, 0x0f, 0x6f, 0x44, 0x31, 0xf0,               // movdqu xmm0, [r9+r14-0x10]
        0xf3, 0x43, 0x0f, 0x7f, 0x44, 0x34, 0xf0,               // movdqu [r12+r14-0x10], xmm0
        0x49, 0x8d, 0x46, 0xf0,                                 // lea rax, [r14-0x10]
        0x31, 0xc9,                                             // xor ecx, ecx

        // next16:
        0xf3, 0x41, 0x0f, 0x6f, 0x04, 0x09,                     // movdqu xmm0, [r9+rcx]
        0xf3, 0x41, 0x0f, 0x7f, 0x04, 0x0c,                     // movdqu [r12+rcx], xmm0
        0x48, 0x83, 0xc1, 0x10,                                 // add rcx, 0x10
        0x48, 0x39, 0xc1,                                       // cmp rcx, rax
        0x72, 0xeb,                                             // jb next16
        0xe9, 0xce, 0x01, 0x00, 0x00,                           // jmp publish

        // short_payload:
        0x49, 0x83, 0xfe, 0x04,                                 // cmp r14, 4
        0x72, 0x16,                                             // jb tiny
        0x41, 0x8b, 0x01,                                       // mov eax, [r9]
        0x43, 0x8b, 0x4c, 0x31, 0xfc,                           // mov ecx, [r9+r14-4]
        0x41, 0x89, 0x04, 0x24,                                 // mov [r12], eax
        0x43, 0x89, 0x4c, 0x34, 0xfc,                           // mov [r12+r14-4], ecx
        0xe9, 0xb2, 0x01, 0x00, 0x00,                           // jmp publish

        // 0 to 3 bytes: the first, the middle and the last.
        // tiny:
        0x4d, 0x85, 0xf6,                                       // test r14, r14
        0x0f, 0x84, 0xa9, 0x01, 0x00, 0x00,                     // je publish
        0x41, 0x0f, 0xb6, 0x01,                                 // movzx eax, byte [r9]
        0x41, 0x88, 0x04, 0x24,                                 // mov [r12], al
        0x4c, 0x89, 0xf1,                                       // mov rcx, r14
        0x48, 0xd1, 0xe9,                                       // shr rcx, 1
        0x41, 0x0f, 0xb6, 0x04, 0x09,                           // movzx eax, byte [r9+rcx]
        0x41, 0x88, 0x04, 0x0c,                                 // mov [r12+rcx], al
        0x43, 0x0f, 0xb6, 0x44, 0x31, 0xff,                     // movzx eax, byte [r9+r14-1]
        0x43, 0x88, 0x44, 0x34, 0xff,                           // mov [r12+r14-1], al
        0xe9, 0x82, 0x01, 0x00, 0x00,                           // jmp publish

        // The id or the time since the last record does not fit into the compact head.
        // extended:
        0x49, 0x8d, 0x5e, 0x0d,                                 // lea rbx, [r14+0xd]
        0x4c, 0x89, 0xd8,                                       // mov rax, r11
        0x48, 0x21, 0xe8,                                       // and rax, rbp
        0x48, 0x01, 0xd8,                                       // add rax, rbx
        0x48, 0x39, 0xe8,                                       // cmp rax, rbp
        0x77, 0x27,                                             // ja switch
        0x4d, 0x89, 0xdc,                                       // mov r12, r11
        0x4c, 0x23, 0x67, 0x10,                                 // and r12, [rdi+0x10]
        0x4f, 0x8d, 0xa4, 0x22, 0x00, 0x20, 0x00, 0x00,         // lea r12, [r10+r12+0x2000]

        // extended_header:
        0x41, 0xc6, 0x04, 0x24, 0x1f,                           // mov byte [r12], 0x1f
        0x45, 0x89, 0x44, 0x24, 0x01,                           // mov [r12+1], r8d
        0x49, 0x89, 0x54, 0x24, 0x05,                           // mov [r12+5], rdx
        0x49, 0x83, 0xc4, 0x0d,                                 // add r12, 0xd
        0xe9, 0x3a, 0xff, 0xff, 0xff,                           // jmp copy

        // The record does not fit into the open packet. In a new one it is compact if its id is: the time since its begin is 0.
        // rcx the next packet's position.
        // switch:
        0x49, 0x8d, 0x5e, 0x04,                                 // lea rbx, [r14+4]
        0x49, 0x8d, 0x46, 0x0d,                                 // lea rax, [r14+0xd]
        0x49, 0x83, 0xf8, 0x1f,                                 // cmp r8, 0x1f
        0x48, 0x0f, 0x43, 0xd8,                                 // cmovae rbx, rax
        0x48, 0x8d, 0x43, 0x54,                                 // lea rax, [rbx+0x54]
        0x48, 0x39, 0xe8,                                       // cmp rax, rbp
        0x0f, 0x87, 0xe5, 0x00, 0x00, 0x00,                     // ja too_large
        0x4c, 0x89, 0xd9,                                       // mov rcx, r11
        0x48, 0x09, 0xe9,                                       // or rcx, rbp
        0x48, 0xff, 0xc1,                                       // inc rcx
        0x48, 0x89, 0xc8,                                       // mov rax, rcx
        0x49, 0x2b, 0x82, 0x80, 0x00, 0x00, 0x00,               // sub rax, [r10+0x80]
        0x48, 0x3b, 0x47, 0x18,                                 // cmp rax, [rdi+0x18]
        0x0f, 0x83, 0xb6, 0x00, 0x00, 0x00,                     // jae full
        0x4d, 0x89, 0xdc,                                       // mov r12, r11
        0x4c, 0x23, 0x67, 0x10,                                 // and r12, [rdi+0x10]
        0x4c, 0x89, 0xd8,                                       // mov rax, r11
        0x48, 0x21, 0xe8,                                       // and rax, rbp
        0x49, 0x29, 0xc4,                                       // sub r12, rax
        0x4f, 0x8d, 0xa4, 0x22, 0x00, 0x20, 0x00, 0x00,         // lea r12, [r10+r12+0x2000]
        0x48, 0xc1, 0xe0, 0x03,                                 // shl rax, 3
        0x49, 0x89, 0x54, 0x24, 0x28,                           // mov [r12+0x28], rdx
        0x49, 0x89, 0x44, 0x24, 0x30,                           // mov [r12+0x30], rax
        0x4d, 0x8b, 0x6a, 0x40,                                 // mov r13, [r10+0x40]
        0x4d, 0x03, 0x6a, 0x48,                                 // add r13, [r10+0x48]
        0x4d, 0x89, 0x6c, 0x24, 0x48,                           // mov [r12+0x48], r13
        0x49, 0x89, 0xcc,                                       // mov r12, rcx
        0x4c, 0x23, 0x67, 0x10,                                 // and r12, [rdi+0x10]
        0x4f, 0x8d, 0xa4, 0x22, 0x00, 0x20, 0x00, 0x00,         // lea r12, [r10+r12+0x2000]
        0x4c, 0x8d, 0x59, 0x54,                                 // lea r11, [rcx+0x54]
        0xf3, 0x0f, 0x6f, 0x47, 0x20,                           // movdqu xmm0, [rdi+0x20]
        0xf3, 0x0f, 0x6f, 0x4f, 0x30,                           // movdqu xmm1, [rdi+0x30]
        0xf3, 0x41, 0x0f, 0x7f, 0x04, 0x24,                     // movdqu [r12], xmm0
        0xf3, 0x41, 0x0f, 0x7f, 0x4c, 0x24, 0x10,               // movdqu [r12+0x10], xmm1
        0x8b, 0x46, 0x04,                                       // mov eax, [rsi+4]
        0x49, 0x89, 0x44, 0x24, 0x18,                           // mov [r12+0x18], rax
        0x41, 0x89, 0x44, 0x24, 0x50,                           // mov [r12+0x50], eax
        0x49, 0x89, 0x54, 0x24, 0x20,                           // mov [r12+0x20], rdx
        0x49, 0x89, 0x54, 0x24, 0x28,                           // mov [r12+0x28], rdx
        0x49, 0xc7, 0x44, 0x24, 0x30, 0xa0, 0x02, 0x00, 0x00,   // mov qword [r12+0x30], 0x2a0
        0x48, 0x8d, 0x04, 0xed, 0x08, 0x00, 0x00, 0x00,         // lea rax, [rbp*8+8]
        0x49, 0x89, 0x44, 0x24, 0x38,                           // mov [r12+0x38], rax
        0x4d, 0x89, 0x6c, 0x24, 0x48,                           // mov [r12+0x48], r13
        0x48, 0x89, 0xc8,                                       // mov rax, rcx
        0x8b, 0x4f, 0x04,                                       // mov ecx, [rdi+4]
        0x48, 0xd3, 0xe8,                                       // shr rax, cl
        0x49, 0x89, 0x44, 0x24, 0x40,                           // mov [r12+0x40], rax
        0x49, 0x83, 0xc4, 0x54,                                 // add r12, 0x54
        0x41, 0xbd, 0x01, 0x00, 0x00, 0x00,                     // mov r13d, 1
        0x49, 0x83, 0xf8, 0x1f,                                 // cmp r8, 0x1f
        0x0f, 0x83, 0xfd, 0xfe, 0xff, 0xff,                     // jae extended_header
        0xe9, 0x3a, 0xfe, 0xff, 0xff,                           // jmp compact

        // Count a loss: the pair at [r10+64] with one half incremented is what the committing store writes.
        // full:
        0x41, 0xbd, 0x02, 0x00, 0x00, 0x00,                     // mov r13d, 2
        0xb8, 0x01, 0x00, 0x00, 0x00,                           // mov eax, 1
        0x66, 0x48, 0x0f, 0x6e, 0xc8,                           // movq xmm1, rax
        0xeb, 0x15,                                             // jmp lost

        // too_large:
        0x41, 0xbd, 0x03, 0x00, 0x00, 0x00,                     // mov r13d, 3
        0xb8, 0x01, 0x00, 0x00, 0x00,                           // mov eax, 1
        0x66, 0x48, 0x0f, 0x6e, 0xc8,                           // movq xmm1, rax
        0x66, 0x0f, 0x73, 0xf9, 0x08,                           // pslldq xmm1, 8

        // lost:
        0x66, 0x41, 0x0f, 0x6f, 0x42, 0x40,                     // movdqa xmm0, [r10+0x40]
        0x66, 0x0f, 0xd4, 0xc1,                                 // paddq xmm0, xmm1
        0x49, 0x83, 0xc2, 0x40,                                 // add r10, 0x40
        0xeb, 0x30,                                             // jmp commit

        // No stream for this CPU yet, or no CPU: leave the section and let the caller see to it.
        // absent:
        0x41, 0xbd, 0x04, 0x00, 0x00, 0x00,                     // mov r13d, 4
        0x31, 0xc0,                                             // xor eax, eax
        0x48, 0x89, 0x46, 0x08,                                 // mov [rsi+8], rax
        0x44, 0x89, 0xe8,                                       // mov eax, r13d
        0xeb, 0x27,                                             // jmp exit

        // medium:
        0x49, 0x8b, 0x01,                                       // mov rax, [r9]
        0x4b, 0x8b, 0x4c, 0x31, 0xf8,                           // mov rcx, [r9+r14-8]
        0x49, 0x89, 0x04, 0x24,                                 // mov [r12], rax
        0x4b, 0x89, 0x4c, 0x34, 0xf8,                           // mov [r12+r14-8], rcx

        // The new position and the time, published together.
        // publish:
        0x66, 0x49, 0x0f, 0x6e, 0xc3,                           // movq xmm0, r11
        0x66, 0x48, 0x0f, 0x6e, 0xca,                           // movq xmm1, rdx
        0x66, 0x0f, 0x6c, 0xc1,                                 // punpcklqdq xmm0, xmm1

        // commit:
        0x66, 0x41, 0x0f, 0x7f, 0x02,                           // movdqa [r10], xmm0

        // done:
        0x44, 0x89, 0xe8,                                       // mov eax, r13d

        // exit:
        0x41, 0x5e,                                             // pop r14
        0x41, 0x5d,                                             // pop r13
        0x41, 0x5c,                                             // pop r12
        0x5d,                                                   // pop rbp
        0x5b,                                                   // pop rbx
        0xc3,                                                   // ret
        0x0f, 0xb9, 0x3d, 0x53, 0x30, 0x05, 0x53,               // ud1 edi, [rel 0x5305331d]

        // The kernel comes here, after the signature that it demands before every abort address.
        // abort:
        0xe9, 0x3f, 0xfd, 0xff, 0xff,                           // jmp restart
    ];
}
