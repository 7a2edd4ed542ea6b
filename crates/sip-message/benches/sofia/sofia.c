/* Times Sofia-SIP on one message: prints "parse_ns print_ns", each the mean of a run.
 *
 * parse: msg_make (copy, extract with typed headers) and msg_destroy, touching the same headers as our
 * own benchmark. print: encode all headers of a parsed message anew (msg_unprepare, msg_serialize,
 * msg_prepare), without any allocation of the message itself.
 */
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

int main(int argc, char **argv)
{
    static char octets[65536];
    if (argc != 3)
        return 2;
    FILE *file = fopen(argv[1], "rb");
    if (!file)
        return 2;
    size_t length = fread(octets, 1, sizeof octets, file);
    fclose(file);
    long rounds = atol(argv[2]);
    msg_mclass_t const *class = sip_default_mclass();

    double start = now();
    for (long i = 0; i < rounds; i++) {
        msg_t *msg = msg_make(class, 0, octets, (ssize_t)length);
        sip_t *sip = sip_object(msg);
        if (!sip || !sip->sip_via || !sip->sip_from || !sip->sip_to || !sip->sip_contact || !sip->sip_cseq)
            return 1;
        sink = sip->sip_via->v_host;
        sink = sip->sip_from->a_url->url_user;
        sink = sip->sip_to->a_url->url_host;
        sink = sip->sip_contact->m_url->url_host;
        sink = sip->sip_cseq->cs_method_name;
        msg_destroy(msg);
    }
    double parse = (now() - start) / rounds;

    msg_t *msg = msg_make(class, 0, octets, (ssize_t)length);
    start = now();
    for (long i = 0; i < rounds; i++) {
        msg_unprepare(msg);
        /* What a header was read from is kept with it; without that it is encoded from its parts. */
        for (msg_header_t *h = *msg_chain_head(msg); h; h = h->sh_succ)
            msg_fragment_clear(h->sh_common);
        if (msg_serialize(msg, msg_object(msg)) < 0 || msg_prepare(msg) <= 0)
            return 1;
        /* The encoded octets come from a buffer of the message that only grows: begin anew at times. */
        if (i % 64 == 63) {
            msg_destroy(msg);
            msg = msg_make(class, 0, octets, (ssize_t)length);
        }
    }
    double print = (now() - start) / rounds - parse / 64;
    printf("%.1f %.1f\n", parse, print);
    return 0;
}
