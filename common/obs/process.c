#include "obs/process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The fields of /proc/self/stat that are shown; see proc(5). */
struct process_stat {
	uint64_t user_ticks;
	uint64_t system_ticks;
	uint64_t start_ticks; /* after boot */
	uint64_t virtual_bytes;
	uint64_t resident_pages;
};

static bool read_stat(struct process_stat *stat)
{
	char text[1024];
	FILE *file = fopen("/proc/self/stat", "re");

	if (!file)
		return false;
	size_t size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';

	/* The second field is the program's name in parentheses and may hold anything. */
	const char *rest = strrchr(text, ')');
	return rest && sscanf(rest,
			      ") %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64
			      " %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64 " %" SCNu64,
			      &stat->user_ticks, &stat->system_ticks, &stat->start_ticks, &stat->virtual_bytes,
			      &stat->resident_pages) == 5;
}

/* Unix seconds at which the machine started, 0 if unknown. */
static uint64_t boot_time(void)
{
	char line[256];
	uint64_t seconds = 0;
	FILE *file = fopen("/proc/stat", "re");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "btime %" SCNu64, &seconds) == 1)
			break;
	fclose(file);
	return seconds;
}

/* Open descriptors, without the one that this takes itself; -1 if unknown. */
static long open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	long count = -1;

	if (!folder)
		return -1;
	for (const struct dirent *entry; (entry = readdir(folder));)
		if (entry->d_name[0] != '.')
			count++;
	closedir(folder);
	return count;
}

static int put(struct buffer *out, const char *name, const char *type, const char *help, double value)
{
	return buffer_printf(out, "# HELP process_%s %s\n# TYPE process_%s %s\nprocess_%s %.15g\n", name, help, name,
			     type, name, value);
}

static int put_stat(struct buffer *out, const struct process_stat *stat)
{
	double ticks = (double)sysconf(_SC_CLK_TCK);
	uint64_t boot = boot_time();
	int r = put(out, "cpu_seconds_total", "counter", "User and system CPU time spent.",
		    (double)(stat->user_ticks + stat->system_ticks) / ticks);

	if (r == 0)
		r = put(out, "resident_memory_bytes", "gauge", "Memory in RAM.",
			(double)stat->resident_pages * (double)sysconf(_SC_PAGESIZE));
	if (r == 0)
		r = put(out, "virtual_memory_bytes", "gauge", "Memory mapped.", (double)stat->virtual_bytes);
	if (r == 0 && boot > 0)
		r = put(out, "start_time_seconds", "gauge", "Unix time at which the process started.",
			(double)boot + (double)stat->start_ticks / ticks);
	return r;
}

int64_t process_resident_bytes(void)
{
	struct process_stat stat;

	return read_stat(&stat) ? (int64_t)stat.resident_pages * sysconf(_SC_PAGESIZE) : 0;
}

int process_render(struct buffer *out)
{
	struct process_stat stat;
	struct rlimit limit;
	long descriptors = open_descriptors();
	int r = read_stat(&stat) ? put_stat(out, &stat) : 0;

	if (r == 0 && descriptors >= 0)
		r = put(out, "open_fds", "gauge", "Open file descriptors.", (double)descriptors);
	if (r == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		r = put(out, "max_fds", "gauge", "Highest number of file descriptors allowed.", (double)limit.rlim_cur);
	return r;
}
