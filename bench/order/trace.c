/*
 * Runs a program and lists which of its methods are called: a breakpoint stands at the beginning of each, and is taken away when it is
 * reached. For bench/run --order. Linux on x86-64.
 *
 * usage: trace ADDRESSES OUTPUT START REST PROGRAM [ARGUMENT...]
 *
 *   ADDRESSES   a file: where methods begin, a hexadecimal number a line, sorted
 *   OUTPUT      gets a line for each that was called: 0 and its address if that was after the start (and maybe at the start too), 1 and its
 *               address if it was at the start alone
 *   START       seconds that count as the start
 *   REST        seconds that it runs for afterwards; then it is ended
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct method {
    unsigned long address;
    unsigned char code; /* its first byte, where the breakpoint stands */
    char armed;
    char called; /* AT_START, LATER */
};

enum { AT_START = 1, LATER = 2 };

static struct method *methods;
static size_t count;

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static int by_address(const void *one, const void *other)
{
    unsigned long a = ((const struct method *)one)->address, b = ((const struct method *)other)->address;
    return a < b ? -1 : a > b;
}

static void read_addresses(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t room = 0;
    unsigned long address;
    if (!file)
        give_up(path);
    while (fscanf(file, "%lx", &address) == 1) {
        if (count == room && !(methods = realloc(methods, (room = 2 * room + 1024) * sizeof *methods)))
            give_up("memory");
        methods[count++] = (struct method){.address = address};
    }
    fclose(file);
}

/* Where the kernel has put the program, whose addresses count from there. */
static unsigned long base_of(pid_t program)
{
    char path[64];
    unsigned long base = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", program);
    FILE *maps = fopen(path, "r");
    if (!maps || fscanf(maps, "%lx", &base) != 1)
        give_up(path);
    fclose(maps);
    return base;
}

static void set_byte(int memory, unsigned long address, unsigned char byte)
{
    if (pwrite(memory, &byte, 1, address) != 1)
        give_up("writing the program's memory");
}

static void arm(int memory, unsigned long base)
{
    for (size_t i = 0; i < count; i++) {
        if (methods[i].armed)
            continue;
        if (pread(memory, &methods[i].code, 1, base + methods[i].address) != 1)
            give_up("reading the program's memory");
        methods[i].armed = 1;
        set_byte(memory, base + methods[i].address, 0xCC);
    }
}

/* A thread has stopped: at a breakpoint, or for another reason, which it is told. */
static void go_on(pid_t thread, int status, int memory, unsigned long base, char when)
{
    int stop = WSTOPSIG(status);
    if (stop == SIGTRAP && !(status >> 16)) {
        struct user_regs_struct registers;
        ptrace(PTRACE_GETREGS, thread, 0, &registers);
        struct method key = {.address = registers.rip - 1 - base}, *method = bsearch(&key, methods, count, sizeof *methods, by_address);
        if (method) {
            /* Another thread may have been there at the same time: then the byte is back already. */
            if (method->armed)
                set_byte(memory, base + method->address, method->code);
            method->armed = 0;
            method->called = when;
            registers.rip--;
            ptrace(PTRACE_SETREGS, thread, 0, &registers);
        }
    }
    /* SIGSTOP is how a new thread begins here. */
    ptrace(PTRACE_CONT, thread, 0, stop == SIGTRAP || stop == SIGSTOP ? 0 : stop);
}

int main(int arguments, char **argument)
{
    if (arguments < 6) {
        fprintf(stderr, "usage: trace ADDRESSES OUTPUT START REST PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    read_addresses(argument[1]);
    time_t started = time(NULL) + atoi(argument[3]), end = started + atoi(argument[4]);
    pid_t program = fork();
    if (program == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(argument[5], argument + 5);
        give_up(argument[5]);
    }
    int status;
    char when = AT_START;
    if (waitpid(program, &status, 0) != program || !WIFSTOPPED(status))
        return 1;
    ptrace(PTRACE_SETOPTIONS, program, 0, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
    unsigned long base = base_of(program);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", program);
    int memory = open(path, O_RDWR);
    if (memory < 0)
        give_up(path);
    arm(memory, base);
    ptrace(PTRACE_CONT, program, 0, 0);
    while (time(NULL) < end) {
        if (when == AT_START && time(NULL) >= started) {
            when = LATER;
            arm(memory, base);
        }
        pid_t thread = waitpid(-1, &status, __WALL | WNOHANG);
        if (thread == 0) {
            usleep(100);
        } else if (thread < 0 || (thread == program && !WIFSTOPPED(status))) {
            fprintf(stderr, "%s ended by itself\n", argument[5]);
            return 1;
        } else if (WIFSTOPPED(status)) {
            go_on(thread, status, memory, base, when);
        }
    }
    FILE *output = fopen(argument[2], "w");
    if (!output)
        give_up(argument[2]);
    for (size_t i = 0; i < count; i++)
        if (methods[i].called)
            fprintf(output, "%d %016lx\n", methods[i].called == AT_START, methods[i].address);
    fclose(output);
    return 0; /* PTRACE_O_EXITKILL ends the program. */
}
