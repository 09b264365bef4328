#include "obs/setup.h"

#include "obs/log.h"

void log_setup_from_config(const char *program, const struct config *config)
{
	enum log_level level = LOG_LEVEL_INFO;
	enum log_format format = LOG_FORMAT_AUTO;

	/* The option table lets only these names pass, so the defaults above never survive a bad one. */
	if (log_level_from_name(config_string(config, OPTION_LOG_LEVEL), &level) < 0 ||
	    log_format_from_name(config_string(config, OPTION_LOG_FORMAT), &format) < 0)
		log_warning(NULL, "unknown log settings");
	log_setup(program, level, format);
}
