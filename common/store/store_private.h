#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H

#include "store/database.h"

struct store {
	struct database *database;
};

#endif
