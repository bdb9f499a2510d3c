/* SPDX-License-Identifier: BSD-2-Clause
 * Runs a command and writes what it cost to a file: "cpu_ms peak_kib wall_ms read_b written_b". usage: cost FILE command [args]
 * CPU is user plus system time of the command and its children; peak is the largest resident set among them; bytes are those of all its
 * reads and writes, pipes included, and of the children that it waited for. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double ms(struct timeval t) { return 1e3 * (double)t.tv_sec + 1e-3 * (double)t.tv_usec; }

static void read_io(unsigned long long io[2], pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/io", (long)pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "rchar: %llu wchar: %llu", &io[0], &io[1]) != 2)
        io[0] = io[1] = 0;
    if (f)
        fclose(f);
}

int main(int argc, char **argv)
{
    struct timespec a, b;
    struct rusage ru;
    siginfo_t info;
    unsigned long long io[2] = { 0, 0 };
    int st = 0;
    if (argc < 3)
        return 2;
    clock_gettime(CLOCK_MONOTONIC, &a);
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0)
        return 3;
    read_io(io, pid);                            /* while it is still there to be asked */
    if (wait4(pid, &st, 0, &ru) < 0)
        return 3;
    clock_gettime(CLOCK_MONOTONIC, &b);
    FILE *f = fopen(argv[1], "w");
    if (!f)
        return 3;
    fprintf(f, "%.1f %ld %.1f %llu %llu\n", ms(ru.ru_utime) + ms(ru.ru_stime), ru.ru_maxrss,
            1e3 * (double)(b.tv_sec - a.tv_sec) + 1e-6 * (double)(b.tv_nsec - a.tv_nsec), io[0], io[1]);
    fclose(f);
    return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}
