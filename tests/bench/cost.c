/* SPDX-License-Identifier: BSD-2-Clause
 * Runs a command and writes what it cost to a file: "cpu_ms peak_kib wall_ms". usage: cost FILE command [args]
 * CPU is user plus system time of the command and its children; peak is the largest resident set among them. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double ms(struct timeval t) { return 1e3 * (double)t.tv_sec + 1e-3 * (double)t.tv_usec; }

int main(int argc, char **argv)
{
    struct timespec a, b;
    struct rusage ru;
    int st = 0;
    if (argc < 3)
        return 2;
    clock_gettime(CLOCK_MONOTONIC, &a);
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &st, 0, &ru) < 0)
        return 3;
    clock_gettime(CLOCK_MONOTONIC, &b);
    FILE *f = fopen(argv[1], "w");
    if (!f)
        return 3;
    fprintf(f, "%.1f %ld %.1f\n", ms(ru.ru_utime) + ms(ru.ru_stime), ru.ru_maxrss,
            1e3 * (double)(b.tv_sec - a.tv_sec) + 1e-6 * (double)(b.tv_nsec - a.tv_nsec));
    fclose(f);
    return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}
