#include "gateway/visitor.h"

#include "gateway/admission.h"
#include "gateway/problems.h"
#include "run.h"

static const enum job_op with_people[] = {JOB_VERIFY, JOB_SEARCH, JOB_ENROLL, JOB_UNENROLL};

static void test_its_collections(void **state)
{
	const struct visitor visitor = {.scopes = KEY_MATCH | KEY_ENROLL | KEY_SCHEDULE, .collections = {"staff"}};

	(void)state;
	for (size_t i = 0; i < array_size(with_people); i++) {
		assert_true(visitor_works_in(&visitor, with_people[i], "staff"));
		assert_false(visitor_works_in(&visitor, with_people[i], "default"));
		assert_false(visitor_works_in(&visitor, with_people[i], ""));
	}
	assert_true(visitor_works_in(&visitor, JOB_MATCH, "default"));
}

static void test_who_sees_all_looks_everywhere(void **state)
{
	const struct visitor console = {
	    .scopes = KEY_ENROLL | KEY_READ_ALL, .sees_all = true, .collections = {"staff"}};

	(void)state;
	assert_true(visitor_works_in(&console, JOB_VERIFY, "guests"));
	assert_true(visitor_works_in(&console, JOB_SEARCH, "guests"));
	assert_false(visitor_works_in(&console, JOB_ENROLL, "guests"));
	assert_false(visitor_works_in(&console, JOB_UNENROLL, "guests"));
	assert_true(visitor_works_in(&console, JOB_ENROLL, "staff"));
}

static void test_no_border(void **state)
{
	const struct visitor admin = {.scopes = KEY_ADMIN, .collections = {"staff"}};
	const struct visitor everywhere = {.scopes = KEY_ENROLL, .collections = {KEY_COLLECTIONS_ALL}};

	(void)state;
	for (size_t i = 0; i < array_size(with_people); i++) {
		assert_true(visitor_works_in(&admin, with_people[i], "guests"));
		assert_true(visitor_works_in(&everywhere, with_people[i], "guests"));
	}
}

static void test_how_it_is_refused(void **state)
{
	const struct visitor visitor = {.scopes = KEY_MATCH, .collections = {"staff"}};
	struct http_problem problem;

	(void)state;
	assert_true(admission_check_collection(&visitor, JOB_SEARCH, "staff", "collection", &problem));
	assert_false(admission_check_collection(&visitor, JOB_SEARCH, "guests", "job.collection", &problem));
	assert_ptr_equal(problem.kind, &problem_forbidden);
	assert_string_equal(problem.field, "job.collection");
	assert_non_null(strstr(problem.detail, "\"guests\""));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_its_collections),
    cmocka_unit_test(test_who_sees_all_looks_everywhere),
    cmocka_unit_test(test_no_border),
    cmocka_unit_test(test_how_it_is_refused),
};

RUN_TESTS(tests)
