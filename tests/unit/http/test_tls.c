/* The client against a server whose certificate nobody vouches for. */

#include <arpa/inet.h>
#include <curl/curl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "exchange.h"
#include "run.h"

struct identity {
	char key[2048];
	char certificate[2048];
};

static void read_all(BIO *bio, char *out, size_t size)
{
	int got = BIO_read(bio, out, (int)size - 1);

	assert_true(got > 0);
	out[got] = '\0';
	BIO_free(bio);
}

/* A new key and a certificate for "localhost" that it signed itself. */
static void make_identity(struct identity *identity)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	BIO *key_text = BIO_new(BIO_s_mem());
	BIO *certificate_text = BIO_new(BIO_s_mem());

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(PEM_write_bio_X509(certificate_text, certificate), 1);
	read_all(key_text, identity->key, sizeof(identity->key));
	read_all(certificate_text, identity->certificate, sizeof(identity->certificate));
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **request)
{
	(void)arg, (void)path, (void)method, (void)version, (void)upload, (void)upload_size, (void)request;
	struct MHD_Response *response = MHD_create_response_from_buffer(2, (void *)"ok", MHD_RESPMEM_PERSISTENT);
	enum MHD_Result r = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return r;
}

static size_t ignore(char *bytes, size_t one, size_t size, void *arg)
{
	(void)bytes, (void)one, (void)arg;
	return size;
}

/* Proves that only the certificate is wrong: curl gets its answer when told not to look. */
static void assert_reachable_without_checks(const char *url)
{
	CURL *easy = curl_easy_init();

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
	assert_int_equal(curl_easy_perform(easy), CURLE_OK);
	curl_easy_cleanup(easy);
}

static void test_an_unknown_certificate_is_refused(void **state)
{
	struct address_policy *policy;
	struct http_client *client = exchange_client(&policy, NULL);
	struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct identity identity;
	struct exchange e;
	char url[64];

	(void)state;
	make_identity(&identity);
	struct MHD_Daemon *server =
	    MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, answer, NULL,
			     MHD_OPTION_HTTPS_MEM_KEY, identity.key, MHD_OPTION_HTTPS_MEM_CERT, identity.certificate,
			     MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_END);
	assert_non_null(server);
	snprintf(url, sizeof(url), "https://localhost:%u/",
		 MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port);
	assert_reachable_without_checks(url);
	exchange_get(client, &e, url);
	assert_int_equal(e.response.outcome, HTTP_FAILED);
	assert_non_null(strstr(e.response.text, "certificate"));
	http_client_free(client);
	MHD_stop_daemon(server);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_an_unknown_certificate_is_refused),
};

RUN_TESTS(tests)
