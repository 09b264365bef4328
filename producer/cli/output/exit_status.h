#ifndef CLI_EXIT_STATUS_H
#define CLI_EXIT_STATUS_H

#include "base/error.h"

/** What `facefleet` exits with. Scripts rely on the numbers: they are in every manual page and never change. */
enum exit_status {
	STATUS_OK = 0,           /**< match, verify: one person; submit, enroll: all done; topology: all in place */
	STATUS_DIFFERENT = 1,    /**< match, verify: not the same person */
	STATUS_NOBODY = 1,       /**< search: nobody like that */
	STATUS_SOME_FAILED = 1,  /**< submit, enroll, collections: rows were refused or tasks failed */
	STATUS_NOT_IN_PLACE = 1, /**< topology, store: something is missing or differs */
	STATUS_NOT_REACHED = 1,  /**< erase: not everything was reached, or it was not meant */
	STATUS_USAGE = 2, /**< the command line, the configuration or an input file is at fault; nothing was done */
	STATUS_TASK_FAILED = 3, /**< one job: the task failed or no reply came */
	STATUS_NO_BROKER = 4,   /**< the broker cannot be reached, refuses, or takes no jobs */
	STATUS_NO_STORE = 4,    /**< the store cannot be reached, or not in time */
	STATUS_LOCAL_FAULT = 5, /**< this machine failed: results cannot be written, memory is out */
	STATUS_ABORTED = 130    /**< ended by SIGINT or SIGTERM */
};

/** The status for an error that kept a command from its work. */
enum exit_status exit_status_of(const struct error *err);

#endif
