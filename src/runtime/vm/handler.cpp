// The assembly under protected calls and the start of coroutines (System V ABI, x86-64). All callee-saved registers are pushed in
// one order, so a saved stack pointer is all that has to be remembered. The floating-point control words are not saved:
// nothing in the runtime changes them. The switch between coroutines is inline, in coroutine_switch.h.
#include "runtime/vm/handler.h"

asm(R"(
    .text
    .p2align 4
    .globl luapp_rt_protectedInvoke
    .type luapp_rt_protectedInvoke, @function
luapp_rt_protectedInvoke:
    .cfi_startproc
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    push %rbx
    .cfi_def_cfa_offset 24
    .cfi_offset %rbx, -24
    push %r12
    .cfi_def_cfa_offset 32
    .cfi_offset %r12, -32
    push %r13
    .cfi_def_cfa_offset 40
    .cfi_offset %r13, -40
    push %r14
    .cfi_def_cfa_offset 48
    .cfi_offset %r14, -48
    push %r15
    .cfi_def_cfa_offset 56
    .cfi_offset %r15, -56
    sub $8, %rsp
    .cfi_def_cfa_offset 64
    mov %rsp, (%rdi)
    mov %rsi, %rdi
    mov %rcx, %rsi
    call *%rdx
    mov $1, %eax
.Lluapp_rt_leave:
    add $8, %rsp
    .cfi_def_cfa_offset 56
    pop %r15
    .cfi_def_cfa_offset 48
    pop %r14
    .cfi_def_cfa_offset 40
    pop %r13
    .cfi_def_cfa_offset 32
    pop %r12
    .cfi_def_cfa_offset 24
    pop %rbx
    .cfi_def_cfa_offset 16
    pop %rbp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size luapp_rt_protectedInvoke, . - luapp_rt_protectedInvoke

    .p2align 4
    .globl luapp_rt_unwindTo
    .type luapp_rt_unwindTo, @function
luapp_rt_unwindTo:
    mov (%rdi), %rsp
    xor %eax, %eax
    jmp .Lluapp_rt_leave
    .size luapp_rt_unwindTo, . - luapp_rt_unwindTo

    .p2align 4
    .globl luapp_rt_stackEntry
    .type luapp_rt_stackEntry, @function
luapp_rt_stackEntry:
    .cfi_startproc
    .cfi_undefined %rip
    pop %rax
    pop %rdi
    pop %rsi
    call *%rax
    ud2
    .cfi_endproc
    .size luapp_rt_stackEntry, . - luapp_rt_stackEntry
    .section .note.GNU-stack,"",@progbits
    .text
)");
