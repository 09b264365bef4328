#include "cli/fleet/feeder.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/queue.h"
#include "base/thread.h"
#include "base/wakeup.h"
#include "cli/fleet/job_message.h"
#include "cli/input/image_file.h"
#include "cli/input/rows.h"

struct feeder {
	struct feeder_settings settings;
	struct queue *grants; /* of struct pending */
	struct rows *rows;
	int wake_fd;
	pthread_t thread;
	bool running;
	struct client_ticket ticket; /* of the end */
	struct error error;
	struct buffer image_a;
	struct buffer image_b;
	atomic_uint_fast64_t row_count;
	atomic_uint_fast64_t skipped;
	atomic_uint_fast64_t bytes;
};

static int read_image(struct feeder *feeder, struct job_image *image, struct buffer *bytes, const char *column,
		      const char *name, struct error *err)
{
	int r = image_file_read(image, bytes, feeder->settings.base_dir, name, feeder->settings.max_image_bytes, err);

	if (r < 0)
		error_prefix(err, "%s", column);
	return r;
}

static int read_images(struct feeder *feeder, struct job *job, const struct row *row, struct error *err)
{
	if (row->folder_fd >= 0)
		return image_file_read_in(&job->image_a, &feeder->image_a, row->folder_fd, row->image_a,
					  feeder->settings.max_image_bytes, err);
	if (job->op != JOB_MATCH)
		return read_image(feeder, &job->image_a, &feeder->image_a, "image", row->image_a, err);
	int r = read_image(feeder, &job->image_a, &feeder->image_a, "image_a", row->image_a, err);
	return r < 0 ? r : read_image(feeder, &job->image_b, &feeder->image_b, "image_b", row->image_b, err);
}

static void fill(struct feeder *feeder, struct pending *pending, const struct row *row)
{
	const struct feeder_settings *settings = &feeder->settings;
	struct job job;

	job_init(&job, settings->op);
	job.reference = row->id;
	job.user_id = row->user_id;
	job.collection = row->collection[0] ? row->collection : settings->collection;
	job.scene = row->scene[0] ? row->scene : settings->scene;
	job.callback_url = row->callback[0] ? row->callback : settings->callback_url;
	job.options = settings->options;
	if (read_images(feeder, &job, row, &pending->error) < 0 ||
	    job_message_new(&pending->message, &job, &pending->error) < 0)
		return;
	job_message_accept(pending->message, job.scene, client_reply_queue(settings->client));
	snprintf(pending->task_id, sizeof(pending->task_id), "%.36s", pending->message->envelope.message_id);
	pending->patience_ms = job_message_patience_ms(job.scene);
}

static void *feed(void *arg)
{
	struct feeder *feeder = arg;
	struct row row;

	thread_set_name("feeder");
	for (;;) {
		struct error err = {0};
		enum rows_status status = rows_next(feeder->rows, &row, &err);
		atomic_store(&feeder->bytes, rows_offset(feeder->rows));
		if (status == ROWS_FAILED)
			feeder->error = err;
		if (status != ROWS_ROW && status != ROWS_BAD)
			break;
		atomic_fetch_add(&feeder->row_count, 1);
		if (status == ROWS_ROW && id_set_has(feeder->settings.present, row.id)) {
			atomic_fetch_add(&feeder->skipped, 1);
			continue;
		}
		struct pending *pending = queue_pop(feeder->grants, -1);
		if (!pending)
			break;
		pending->line = row.line;
		pending->error = err;
		snprintf(pending->reference, sizeof(pending->reference), "%s", row.id);
		snprintf(pending->user_id, sizeof(pending->user_id), "%s", row.user_id);
		if (status == ROWS_ROW)
			fill(feeder, pending, &row);
		client_post(feeder->settings.client, &pending->ticket, pending);
	}
	client_post(feeder->settings.client, &feeder->ticket, feeder);
	return NULL;
}

int feeder_start(struct feeder **out, const struct feeder_settings *settings, struct error *err)
{
	struct feeder *feeder = calloc(1, sizeof(*feeder));

	if (!feeder)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	feeder->settings = *settings;
	feeder->wake_fd = wakeup_open();
	feeder->grants = queue_new(settings->max_grants);
	if (feeder->wake_fd >= 0)
		feeder->rows = rows_new(settings->fd, feeder->wake_fd, row_form_of(settings->op));
	if (!feeder->rows || !feeder->grants || thread_start(&feeder->thread, feed, feeder) < 0) {
		feeder_free(feeder);
		return error_set(err, ERROR_INTERNAL, "the input's thread cannot be started");
	}
	feeder->running = true;
	*out = feeder;
	return 0;
}

void feeder_grant(struct feeder *feeder, struct pending *pending)
{
	int r = queue_push(feeder->grants, pending, 0);

	assert(r == 0 || r == -ESHUTDOWN);
}

const struct error *feeder_error(const struct feeder *feeder)
{
	return error_is_set(&feeder->error) ? &feeder->error : NULL;
}

void feeder_position(struct feeder *feeder, struct feeder_position *out)
{
	out->rows = atomic_load(&feeder->row_count);
	out->skipped = atomic_load(&feeder->skipped);
	out->bytes = atomic_load(&feeder->bytes);
}

void feeder_stop(struct feeder *feeder)
{
	if (!feeder->running)
		return;
	queue_close(feeder->grants);
	wakeup_signal(feeder->wake_fd);
	pthread_join(feeder->thread, NULL);
	feeder->running = false;
}

void feeder_free(struct feeder *feeder)
{
	if (!feeder)
		return;
	if (feeder->wake_fd >= 0)
		close(feeder->wake_fd);
	queue_free(feeder->grants);
	rows_free(feeder->rows);
	buffer_finish(&feeder->image_a);
	buffer_finish(&feeder->image_b);
	free(feeder);
}
