#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

/* The few compiler attributes facefleet uses, named for what they ask of the reader. */

/** The caller must look at the result. */
#define must_check __attribute__((warn_unused_result))

/** printf-style: argument `fmt` (from 1) is the format, `args` the first value. */
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

/** Calls `fn(&variable)` when the variable goes out of scope. */
#define cleanup_with(fn) __attribute__((cleanup(fn)))

/** Number of elements of a true array. */
#define array_size(a) (sizeof(a) / sizeof((a)[0]))

#endif
