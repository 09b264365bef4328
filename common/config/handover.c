#include "config/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/effective.h"

#define VARIABLE "FACEFLEET_HANDOVER"
#define MAX_BYTES (1 << 20)
/* Nobody but a program like this makes such a file. */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
/* A setting is three texts, each with its zero byte: key, value, place. One without a key stands before those that the
 * fleet shares. */
#define TEXTS 3

/* --- leaving --- */

static int add(struct buffer *out, const char *key, const char *value, const char *place)
{
	const char *const texts[TEXTS] = {key, value, place};
	int r = 0;

	for (int i = 0; i < TEXTS && r == 0; i++)
		r = buffer_append(out, texts[i], strlen(texts[i]) + 1);
	return r;
}

static int add_scene(struct buffer *out, const struct config_scene *scene)
{
	char key[SCENE_KEY_SIZE];
	int r = 0;

	for (int i = 0; i < SCENE_FIELD_COUNT && r == 0; i++) {
		scene_key_write(scene->name, scene_key_fields[i].key, key);
		r = add(out, key, scene->fields[i].text, scene->fields[i].source);
	}
	return r;
}

static int write_settings(struct buffer *out, const struct config *config, const struct config_central *shared,
			  unsigned count)
{
	int r = 0;

	for (int i = 0; i < OPTION_COUNT && r == 0; i++)
		r = add(out, option_table[i].key, config->options[i].text, config->options[i].source);
	for (unsigned i = 0; i < config->scene_count && r == 0; i++)
		r = add_scene(out, &config->scenes[i]);
	if (r == 0)
		r = add(out, "", "", "");
	for (unsigned i = 0; i < count && r == 0; i++)
		r = add(out, shared[i].key, shared[i].value, shared[i].place);
	return r;
}

/* The descriptor of a file with these bytes, which stays open in the program that is executed; or a negative errno. */
static int make_file(const struct buffer *bytes)
{
	int fd = memfd_create("facefleet-settings", MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	ssize_t written = write(fd, bytes->data, bytes->size);
	if (written == (ssize_t)bytes->size && lseek(fd, 0, SEEK_SET) == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
		return fd;
	int r = written >= 0 && written < (ssize_t)bytes->size ? -EIO : -errno;
	close(fd);
	return r;
}

int handover_leave(const struct config *config, const struct config_central *shared, unsigned count)
{
	struct buffer bytes = {.limit = MAX_BYTES};
	char number[16];
	int r = write_settings(&bytes, config, shared, count);
	int fd = r == 0 ? make_file(&bytes) : r;

	buffer_finish(&bytes);
	if (fd < 0)
		return fd;
	snprintf(number, sizeof(number), "%d", fd);
	if (setenv(VARIABLE, number, 1) == 0)
		return 0;
	r = -errno;
	close(fd);
	return r;
}

/* --- taking --- */

static int refuse(struct error *err)
{
	return error_set(err, ERROR_CONFIG, "env " VARIABLE ": is for programs that execute themselves anew");
}

static bool is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

static int read_file(struct buffer *out, const char *number, struct error *err)
{
	char *end;
	long fd = strtol(number, &end, 10);

	if (end == number || *end != '\0' || fd < 0 || fd > INT32_MAX || !is_sealed((int)fd))
		return refuse(err);
	out->limit = MAX_BYTES;
	int r = buffer_read_fd(out, (int)fd, "the settings of before", MAX_BYTES, err);
	close((int)fd);
	return r;
}

/* Fills out->settings; their number, or a negative errno with `err`. */
static int split(struct handover *out, struct error *err)
{
	const char *at = (const char *)out->bytes.data;
	size_t texts = 0;

	for (size_t i = 0; i < out->bytes.size; i++)
		texts += at[i] == '\0';
	if (texts == 0 || texts % TEXTS != 0 || at[out->bytes.size - 1] != '\0')
		return refuse(err);
	out->settings = calloc(texts / TEXTS, sizeof(*out->settings));
	if (!out->settings)
		return error_set(err, ERROR_CONFIG, "out of memory");
	for (size_t i = 0; i < texts; i++, at += strlen(at) + 1) {
		struct config_central *setting = &out->settings[i / TEXTS];
		const char **const places[TEXTS] = {&setting->key, &setting->value, &setting->place};

		*places[i % TEXTS] = at;
	}
	return (int)(texts / TEXTS);
}

static int make_config(struct config **out, const struct config_central *items, unsigned count, struct error *err)
{
	struct settings settings = {0};
	int r = settings_add_central(&settings, items, count, err);

	if (r == 0)
		r = config_merge(out, &settings, err);
	settings_finish(&settings);
	return r;
}

int handover_take(struct handover *out, struct error *err)
{
	const char *number = getenv(VARIABLE);
	unsigned held = 0;

	if (!number)
		return 0;
	int r = read_file(&out->bytes, number, err);
	unsetenv(VARIABLE);
	int count = r == 0 ? split(out, err) : r;
	if (count < 0)
		return count;
	while (held < (unsigned)count && out->settings[held].key[0] != '\0')
		held++;
	if (held == (unsigned)count)
		return refuse(err);
	out->shared = &out->settings[held + 1];
	out->shared_count = (unsigned)count - held - 1;
	return make_config(&out->config, out->settings, held, err);
}

void handover_finish(struct handover *handover)
{
	config_free(handover->config);
	buffer_finish(&handover->bytes);
	free(handover->settings);
}
