#ifndef UNIT_CALLBACK_SAMPLES_H
#define UNIT_CALLBACK_SAMPLES_H

#include "amqp/message.h"
#include "job/envelope.h"

#define SAMPLE_TASK "0193f0aa-1111-7abc-8def-000000000001"
#define SAMPLE_URL "https://shop.example/hook?token=secret"

/** The delivery of a succeeded reply to SAMPLE_URL, in JSON or MessagePack, with `candidates` of them. */
struct amqp_delivery *sample_delivery(enum encoding encoding, size_t candidates);

#endif
