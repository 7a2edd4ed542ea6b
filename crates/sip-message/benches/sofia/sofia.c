/* Times Sofia-SIP on one message: prints "parse_ns print_ns", each the least mean of short batches. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_parser.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>

static volatile const void *sink;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static char octets[65536];
static size_t length;
static msg_mclass_t const *class;

/* One message: copied, extracted with typed headers, looked at, dropped. */
static void parse(void)
{
    msg_t *msg = msg_make(class, 0, octets, (ssize_t)length);
    sip_t *sip = sip_object(msg);
    if (!sip || !sip->sip_via || !sip->sip_from || !sip->sip_to || !sip->sip_contact || !sip->sip_cseq)
        exit(1);
    sink = sip->sip_via->v_host;
    sink = sip->sip_from->a_url->url_user;
    sink = sip->sip_to->a_url->url_host;
    sink = sip->sip_contact->m_url->url_host;
    sink = sip->sip_cseq->cs_method_name;
    msg_destroy(msg);
}

/* One message: encoded anew. What a header was read from is kept with it, and must be forgotten. */
static void print(msg_t *msg)
{
    msg_unprepare(msg);
    for (msg_header_t *h = *msg_chain_head(msg); h; h = h->sh_succ)
        msg_fragment_clear(h->sh_common);
    if (msg_serialize(msg, msg_object(msg)) < 0 || msg_prepare(msg) <= 0)
        exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    FILE *file = fopen(argv[1], "rb");
    if (!file)
        return 2;
    length = fread(octets, 1, sizeof octets, file);
    fclose(file);
    long batches = atol(argv[2]), times = atol(argv[3]);
    class = sip_default_mclass();

    double least_parse = 1e18, least_print = 1e18;
    for (long batch = 0; batch < batches; batch++) {
        double start = now();
        for (long i = 0; i < times; i++)
            parse();
        double each = (now() - start) / times;
        if (each < least_parse)
            least_parse = each;
        /* The octets go into a buffer of the message that only grows: a new message for each batch. */
        msg_t *msg = msg_make(class, 0, octets, (ssize_t)length);
        start = now();
        for (long i = 0; i < times; i++)
            print(msg);
        each = (now() - start) / times;
        if (each < least_print)
            least_print = each;
        msg_destroy(msg);
    }
    printf("%.1f %.1f\n", least_parse, least_print);
    return 0;
}
