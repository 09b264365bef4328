#include "quarantine_request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The photographs follow. */
struct header {
	uint32_t op;
	uint32_t has_face_policy;
	uint32_t face_policy;
	char reference[JOB_MAX_REFERENCE_BYTES + 1];
	uint64_t size_a;
	uint64_t size_b;
};

static int write_all(int fd, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size > 0) {
		ssize_t n = write(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int quarantine_request_write(const struct job *job)
{
	struct header header = {
	    .op = job->op,
	    .has_face_policy = job->options.has_face_policy,
	    .face_policy = job->options.face_policy,
	    .size_a = job->image_a.size,
	    .size_b = job->image_b.size,
	};
	int fd = memfd_create("facefleet-suspect", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	snprintf(header.reference, sizeof(header.reference), "%s", job->reference);
	int r = write_all(fd, &header, sizeof(header));
	if (r == 0)
		r = write_all(fd, job->image_a.data, job->image_a.size);
	if (r == 0)
		r = write_all(fd, job->image_b.data, job->image_b.size);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static int read_job(struct quarantine_request *request)
{
	const struct header *header = (const struct header *)request->bytes;
	struct job *job = &request->job;
	size_t photographs = request->size - sizeof(*header);

	if (header->op > JOB_UNENROLL || header->face_policy > FACE_POLICY_REJECT_MULTIPLE ||
	    memchr(header->reference, '\0', sizeof(header->reference)) == NULL || header->size_a > photographs ||
	    header->size_b != photographs - header->size_a)
		return -EBADMSG;
	job_init(job, (enum job_op)header->op);
	job->reference = header->reference;
	job->options.has_face_policy = header->has_face_policy != 0;
	job->options.face_policy = (enum face_policy)header->face_policy;
	job->image_a.data = request->bytes + sizeof(*header);
	job->image_a.size = header->size_a;
	job->image_b.data = job->image_a.data + header->size_a;
	job->image_b.size = header->size_b;
	return 0;
}

int quarantine_request_read(int fd, struct quarantine_request *out)
{
	struct stat file;

	if (fstat(fd, &file) < 0)
		return -errno;
	if (!S_ISREG(file.st_mode) || (uint64_t)file.st_size < sizeof(struct header))
		return -EBADMSG;
	void *bytes = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	out->bytes = bytes;
	out->size = (size_t)file.st_size;
	int r = read_job(out);
	if (r < 0)
		quarantine_request_finish(out);
	return r;
}

void quarantine_request_finish(struct quarantine_request *request)
{
	munmap((void *)request->bytes, request->size);
}
