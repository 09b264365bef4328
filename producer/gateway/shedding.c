#include "shedding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the part grows by in a second. */
#define GROWS_BY 0.1
/* How many times as much as the average is more than one's share. */
#define OVER_SHARE 1.5
/* Who asks less than this is forgotten. */
#define FORGOTTEN 0.5

struct asker {
	char name[SHEDDING_NAME_SIZE];
	unsigned asked; /* since the last turn */
	double count;   /* asked before, what is older weighing less */
	double credit;  /* 1 is one job */
};

struct shedding {
	double part;
	double level;   /* up to which everybody is served, in terms of `count` */
	double average; /* count of one asker */
	unsigned count;
	/* The last place is that of all who have none. */
	struct asker askers[SHEDDING_MOST + 1];
};

struct shedding *shedding_new(void)
{
	struct shedding *shedding = calloc(1, sizeof(*shedding));

	if (shedding)
		shedding->part = 1;
	return shedding;
}

void shedding_free(struct shedding *shedding)
{
	free(shedding);
}

double shedding_part(const struct shedding *shedding)
{
	return shedding->part;
}

static void set_part(struct shedding *s, double wait_ms, double limit_ms)
{
	if (wait_ms > limit_ms)
		s->part /= 2;
	else if (wait_ms <= limit_ms / 2)
		s->part += GROWS_BY;
	if (s->part < SHEDDING_LEAST)
		s->part = SHEDDING_LEAST;
	if (s->part > 1)
		s->part = 1;
}

static void age(struct asker *asker)
{
	asker->count = asker->count / 2 + asker->asked;
	asker->asked = 0;
}

/* Counts the second that passed, and forgets those who ask no more. */
static void count_up(struct shedding *s)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->count; i++) {
		age(&s->askers[i]);
		if (s->askers[i].count >= FORGOTTEN)
			s->askers[kept++] = s->askers[i];
	}
	s->count = kept;
	age(&s->askers[SHEDDING_MOST]);
}

static int by_count(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The level at which the askers together get `part` of what they ask for: poured in from the least of them up. */
static void find_level(struct shedding *s)
{
	double counts[SHEDDING_MOST + 1];
	unsigned count = 0;
	double left = 0;

	for (unsigned i = 0; i < s->count; i++)
		counts[count++] = s->askers[i].count;
	if (s->askers[SHEDDING_MOST].count >= FORGOTTEN)
		counts[count++] = s->askers[SHEDDING_MOST].count;
	for (unsigned i = 0; i < count; i++)
		left += counts[i];
	s->average = count > 0 ? left / count : 0;
	s->level = s->average;
	left *= s->part;
	qsort(counts, count, sizeof(counts[0]), by_count);
	for (unsigned i = 0; i < count; i++) {
		s->level = left / (count - i);
		if (counts[i] >= s->level)
			break;
		left -= counts[i];
	}
}

void shedding_turn(struct shedding *s, double wait_ms, double limit_ms)
{
	set_part(s, wait_ms, limit_ms);
	count_up(s);
	find_level(s);
}

static struct asker *find(struct shedding *s, const char *name)
{
	for (unsigned i = 0; i < s->count; i++)
		if (strncmp(s->askers[i].name, name, SHEDDING_NAME_SIZE - 1) == 0)
			return &s->askers[i];
	if (s->count == SHEDDING_MOST)
		return &s->askers[SHEDDING_MOST];
	struct asker *asker = &s->askers[s->count++];
	*asker = (struct asker){0};
	snprintf(asker->name, sizeof(asker->name), "%s", name);
	return asker;
}

enum shedding_verdict shedding_ask(struct shedding *s, const char *name)
{
	struct asker *asker = find(s, name);

	asker->asked++;
	if (s->part >= 1)
		return SHEDDING_TAKE;
	double count = asker->count > asker->asked ? asker->count : asker->asked;
	asker->credit += count > s->level ? s->level / count : 1;
	if (asker->credit >= 1) {
		asker->credit -= 1;
		return SHEDDING_TAKE;
	}
	return count > OVER_SHARE * s->average ? SHEDDING_OVER_SHARE : SHEDDING_TOO_MANY;
}
