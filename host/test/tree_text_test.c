/*
 * The text form of state trees: what it reads, what it writes, and what it says of mistakes.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "tree_text.h"

static struct flue_text_script *parsed(const char *text)
{
    struct flue_text_script *script;
    struct flue_text_error error;

    if (flue_text_parse(text, strlen(text), &script, &error) != FLUE_OK)
        check_failed(__FILE__, __LINE__, "line %u, column %u: %s", error.line, error.column, error.text);
    return script;
}

static char *printed(const struct flue_text_script *script)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    CHECK(out != NULL);
    flue_text_print(out, script);
    fclose(out);
    return text;
}

/* The script is refused at this place, with words that contain this. */
static void refused(const char *text, unsigned line, unsigned column, const char *words)
{
    struct flue_text_script *script;
    struct flue_text_error error;

    CHECK_EQ(flue_text_parse(text, strlen(text), &script, &error), FLUE_EARG);
    CHECK(script == NULL);
    if (error.line != line || error.column != column || strstr(error.text, words) == NULL)
        check_failed(__FILE__, __LINE__, "%u:%u: %s; expected %u:%u with \"%s\"", error.line, error.column, error.text, line,
                     column, words);
}

/* Indentation becomes depth in walk order; a file with a name each is enough. */
TEST(a_minimal_tree_gets_depths_kinds_and_defaults)
{
    struct flue_text_script *s = parsed("initiate\n"
                                        "  neighbor N\n"
                                        "     path P 192.0.2.1 -> 192.0.2.2\n"
                                        "       tcp T 1000 -> 80 RcvNxt=77\n"
                                        "     path Q 2001:db8::1 -> 2001:db8::2\n"
                                        "  placeholder\n");
    static const struct {
        unsigned depth;
        enum flue_node_kind kind;
        enum flue_tree_layer layer;
    } expected[] = {{0, FLUE_NODE_NEW, FLUE_LAYER_NEIGHBOR},
                    {1, FLUE_NODE_NEW, FLUE_LAYER_PATH},
                    {2, FLUE_NODE_NEW, FLUE_LAYER_TCP},
                    {1, FLUE_NODE_NEW, FLUE_LAYER_PATH},
                    {0, FLUE_NODE_PLACEHOLDER, FLUE_LAYER_NONE}};
    CHECK_EQ(s->step_count, 1);
    CHECK_EQ(s->item_count, 5);
    for (size_t i = 0; i < 5; i++) {
        CHECK_EQ(s->items[i].depth, expected[i].depth);
        CHECK_EQ(s->items[i].kind, expected[i].kind);
        CHECK_EQ(s->items[i].layer, expected[i].layer);
    }
    const struct flue_text_values *tcp = &s->items[2].values;
    CHECK_EQ(tcp->field[FLUE_F_LOCAL_PORT], 1000);
    CHECK_EQ(tcp->field[FLUE_F_REMOTE_PORT], 80);
    CHECK_EQ(tcp->field[FLUE_F_STATE], TcpConnectionEstablished);
    CHECK_EQ(tcp->field[FLUE_F_SND_MAX], tcp->field[FLUE_F_SND_UNA]);
    CHECK_EQ(tcp->field[FLUE_F_RCV_WND], tcp->field[FLUE_F_INITIAL_WND]);
    CHECK_EQ(tcp->field[FLUE_F_SEND_WL1], 77); /* follows RcvNxt */
    CHECK(!s->items[1].values.ipv6);
    CHECK(s->items[3].values.ipv6);
    CHECK_EQ(s->items[3].values.source[0], 0x20);
    flue_text_free(s);
}

/* What an object was said to be holds until it is said otherwise: updates and further initiates need only what differs. */
TEST(later_nodes_keep_the_values_of_their_object)
{
    struct flue_text_script *s = parsed("initiate\n neighbor N VlanId=5 HostReachabilityDelta=9\n"
                                        "update\n neighbor N DlDestinationAddress=02:00:00:00:00:09\n"
                                        "terminate N\n"
                                        "initiate\n neighbor N VlanId=6\n");
    CHECK_EQ(s->items[1].part, FLUE_PART_CACHED);
    CHECK_EQ(s->items[1].values.field[FLUE_F_HRD], 9);
    CHECK_EQ(s->items[1].values.field[FLUE_F_DL_DESTINATION], 0x020000000009);
    CHECK_EQ(s->items[2].part, FLUE_PART_NONE);
    CHECK_EQ(s->items[3].kind, FLUE_NODE_NEW);
    CHECK_EQ(s->items[3].values.field[FLUE_F_VLAN_ID], 6);
    CHECK_EQ(s->items[3].values.field[FLUE_F_DL_DESTINATION], 0x020000000009);
    CHECK_EQ(s->object_count, 1);
    flue_text_free(s);
}

/* Which state a reference carries when nothing is said: all for a query, the delegated of a connection for a terminate. */
TEST(references_get_the_state_their_operation_wants)
{
    struct flue_text_script *s = parsed("initiate\n neighbor N\n  path P 1.2.3.4 -> 5.6.7.8\n   tcp T 1 -> 2\n"
                                        "query T\ninvalidate T\nterminate T P\nupdate P\nquery\n tcp T cached\n");
    static const enum flue_text_part expected[] = {FLUE_PART_FULL, FLUE_PART_NONE, FLUE_PART_DELEGATED,
                                                   FLUE_PART_NONE, FLUE_PART_NONE, FLUE_PART_CACHED};
    for (size_t i = 0; i < 6; i++) {
        CHECK_EQ(s->items[3 + i].part, expected[i]);
        CHECK_EQ(s->items[3 + i].kind, FLUE_NODE_REFERENCE);
    }
    flue_text_free(s);
}

/* Settings, expectations and waits carry what was written. */
TEST(statements_beside_operations_are_read)
{
    struct flue_text_script *s =
        parsed("limit connections 1 path_mtu 1500\nlimit none\nvlans 5 4095\nvlans none\n"
               "switch ipv6 off paused on\nparameters TicksPerSecond=100\nwait 20ms\nlist\n"
               "initiate\n  neighbor N\n"
               "expect N OFFLOAD_VLAN_MISMATCH NONE VlanId=0\nexpect operation SUCCESS\nterminate all\n");
    CHECK_EQ(s->step_count, 12);
    CHECK_EQ(s->steps[0].group, FLUE_CFG_LIMITS);
    CHECK_EQ(s->pairs[1].key, offsetof(struct flue_cfg_limits, path_mtu) / 4);
    CHECK_EQ(s->pairs[1].value, 1500);
    CHECK_EQ(s->steps[1].count, sizeof(struct flue_cfg_limits) / 4);
    CHECK_EQ(s->steps[2].count, 2);
    CHECK_EQ(s->steps[3].count, 0);
    CHECK_EQ(s->pairs[s->steps[4].first + 1].key, FLUE_CFG_SWITCHES_PAUSED_MASK);
    CHECK_EQ(s->steps[6].wait_us, 20000);
    CHECK_EQ(s->steps[9].status, NDIS_STATUS_OFFLOAD_VLAN_MISMATCH);
    CHECK(s->steps[9].has_detail);
    CHECK_EQ(s->steps[9].count, 1);
    CHECK_EQ(s->steps[10].object, FLUE_TEXT_OBJECT_NO);
    CHECK(s->steps[11].all);
    flue_text_free(s);
}

/* Every field takes its smallest and largest value and says so again; one more is refused by its name. */
TEST(every_field_reads_what_it_writes)
{
    for (unsigned f = 0; f < FLUE_TEXT_FIELDS; f++) {
        const struct flue_text_field_info *info = flue_text_field_info((enum flue_text_field)f);
        uint64_t samples[] = {0, 1, info->largest, info->largest - 1, info->start};
        char text[128];
        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
            uint64_t back = ~samples[i];
            flue_text_value((enum flue_text_field)f, samples[i], text, sizeof text);
            const char *wrong = flue_text_value_read((enum flue_text_field)f, text, &back);
            if (wrong != NULL || back != samples[i])
                check_failed(__FILE__, __LINE__, "%s=%s read as %" PRIu64 ": %s", info->name, text, back,
                             wrong != NULL ? wrong : "differs");
        }
        uint64_t value;
        if (info->form != FLUE_FORM_MAC) {
            snprintf(text, sizeof text, "%" PRIu64, info->largest + 1);
            const char *wrong = flue_text_value_read((enum flue_text_field)f, text, &value);
            CHECK(wrong != NULL && strstr(wrong, info->name) != NULL);
        }
        CHECK(flue_text_value_read((enum flue_text_field)f, "wrong", &value) != NULL);
        CHECK(flue_text_value_read((enum flue_text_field)f, "", &value) != NULL);
        CHECK(flue_text_value_read((enum flue_text_field)f, "-1", &value) != NULL);
    }
}

/* Names of statuses and details are those of the specification and of the contract. */
TEST(statuses_and_details_are_found_by_their_names)
{
    NDIS_STATUS status;
    enum flue_admin_detail detail;

    CHECK(flue_text_status_find("NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS", &status));
    CHECK_EQ(status, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    CHECK(flue_text_status_find("OFFLOAD_TCP_ENTRIES", &status));
    CHECK_EQ(status, NDIS_STATUS_OFFLOAD_TCP_ENTRIES);
    CHECK(!flue_text_status_find("TCP_ENTRIES", &status));
    CHECK(flue_text_detail_find("WRONG_KIND", &detail));
    CHECK_EQ(detail, FLUE_AD_WRONG_KIND);
    CHECK(strcmp(flue_text_detail_name(FLUE_AD_STALE), "STALE") == 0);
    CHECK(strcmp(flue_text_detail_name(255), "?") == 0);
}

/* Each mistake is named at its line and column. */
TEST(mistakes_are_named_with_line_and_column)
{
    static const char tree[] = "initiate\n neighbor N\n  path P 1.2.3.4 -> 5.6.7.8\n   tcp T 1 -> 2\n";
    char text[400];

    refused("", 0, 0, "nothing to do");
    refused("# only this\n\n", 0, 0, "nothing to do");
    refused("intiate\n", 1, 1, "no statement 'intiate'");
    refused("initiate\n", 1, 1, "no nodes");
    refused("initiate\nlist\n", 1, 1, "no nodes");
    refused("initiate N\n", 1, 10, "indented lines");
    refused("initiate all\n", 1, 10, "not 'all'");
    refused("  neighbor N\n", 1, 3, "there is none");
    refused("initiate\n\tneighbor N\n", 2, 1, "tab");
    refused("initiate\n neighbor\n", 2, 10, "name is missing");
    refused("initiate\n neighbor 7up\n", 2, 11, "begins with a letter");
    refused("initiate\n neighbor all\n", 2, 11, "meaning of its own");
    refused("initiate\n neighbour N\n", 2, 2, "'neighbour'");
    refused("initiate\n neighbor N VlanId=4096\n", 2, 20, "0 to 4095, not '4096'");
    refused("initiate\n neighbor N VlanId\n", 2, 13, "'VlanId' is not");
    refused("initiate\n neighbor N VlanId=1 VlanId=2\n", 2, 22, "given twice");
    refused("initiate\n neighbor N Vlan=1\n", 2, 13, "there is VlanId");
    refused("initiate\n neighbor N DlSourceAddress=02:00:00:00:00\n", 2, 29, "six bytes");
    refused("initiate\n neighbor N\n  path P\n", 3, 8, "SOURCE -> DESTINATION");
    refused("initiate\n neighbor N\n  path P 1.2.3.4 -> ::1\n", 3, 21, "IPv4, the other IPv6");
    refused("initiate\n neighbor N\n  path P 1.2.3 -> 1.2.3.4\n", 3, 10, "not an IPv4");
    refused("initiate\n neighbor N\n  path P 1.2.3.4 ->\n", 3, 20, "missing");
    refused("initiate\n neighbor N\n  tcp T\n", 3, 7, "LOCAL -> REMOTE");
    refused("initiate\n neighbor N\n  tcp T 1 -> 65536\n", 3, 14, "0 to 65535");
    refused("initiate\n neighbor N\n  tcp T 1 -> 2 Flags=1\n", 3, 16, "Const.Flags Cached.Flags Delegated.Flags");
    refused("initiate\n neighbor N\n neighbor N\n", 3, 11, "see line 2");
    refused("initiate\n neighbor N\n  path N 1.2.3.4 -> 1.2.3.5\n", 3, 8, "is a neighbor, see line 2");
    refused("initiate\n  neighbor N\n    path P 1.2.3.4 -> 1.2.3.5\n   placeholder\n", 4, 4, "no line above");
    refused("initiate\n neighbor N\n  placeholder\n   placeholder\n    placeholder\n", 5, 5, "three levels");
    refused("query N\n", 1, 7, "nothing above is called 'N'");
    refused("expect N SUCCESS\n", 1, 8, "nothing above is called 'N'");
    refused("limit connection 1\n", 1, 7, "'connection' has no limit");
    refused("limit connections\n", 1, 18, "missing");
    refused("limit connections x\n", 1, 19, "'x' is not a number");
    refused("vlans 4096\n", 1, 7, "0 to 4095");
    refused("vlans 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", 1, 46, "more than 16");
    refused("switch ipv5 on\n", 1, 8, "'ipv5'");
    refused("switch ipv4 maybe\n", 1, 13, "'maybe'");
    refused("parameters TicksPerSecond=often\n", 1, 27, "'often'");
    refused("parameters Ticks=1\n", 1, 12, "'Ticks'");
    refused("wait 5\n", 1, 6, "'5'");
    refused("wait 5s now\n", 1, 9, "too much");
    snprintf(text, sizeof text, "%sexpect T SUCCES\n", tree);
    refused(text, 5, 10, "no status 'SUCCES'");
    snprintf(text, sizeof text, "%sexpect T SUCCESS FINE\n", tree);
    refused(text, 5, 18, "no detail 'FINE'");
    snprintf(text, sizeof text, "%sexpect T SndUna=x\n", tree);
    refused(text, 5, 17, "not 'x'");
    snprintf(text, sizeof text, "%sexpect operation SndUna=1\n", tree);
    refused(text, 5, 18, "no fields");
    snprintf(text, sizeof text, "%squery\n link T\n", tree);
    refused(text, 6, 2, "link is for initiate");
    snprintf(text, sizeof text, "%squery\n tcp T none SndUna=1\n", tree);
    refused(text, 6, 2, "no state goes");
    snprintf(text, sizeof text, "%squery\n tcp X context=y\n", tree);
    refused(text, 6, 16, "not a context");
    refused("list \x01\n", 1, 6, "0x01");
}

/* Limits of the text itself end in a message, not in more memory. */
TEST(a_text_that_is_too_much_is_refused)
{
    static char text[2u << 20];
    struct flue_text_script *script;
    struct flue_text_error error;

    memset(text, '#', sizeof text);
    CHECK_EQ(flue_text_parse(text, sizeof text, &script, &error), FLUE_EARG);
    CHECK(strstr(error.text, "bytes") != NULL);

    size_t at = (size_t)sprintf(text, "initiate\n");
    for (unsigned i = 0; i <= FLUE_TEXT_NODES_MAX; i++)
        at += (size_t)sprintf(text + at, " placeholder\n");
    CHECK_EQ(flue_text_parse(text, at, &script, &error), FLUE_EARG);
    CHECK_EQ(error.line, FLUE_TEXT_NODES_MAX + 2);
    CHECK(strstr(error.text, "nodes") != NULL);

    memset(text, 'x', 300);
    refused((text[300] = '\0', text), 1, 1, "95 characters");
}

/* CH-022: the examples are read, and what is printed of them reads the same. */
TEST(printing_a_script_and_reading_it_again_changes_nothing)
{
    DIR *folder = opendir(FLUE_TREES);
    struct dirent *entry;
    unsigned files = 0;

    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        char path[512];
        static char text[65536];
        if (strstr(entry->d_name, ".tree") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%s", FLUE_TREES, entry->d_name);
        FILE *in = fopen(path, "r");
        CHECK(in != NULL);
        text[fread(text, 1, sizeof text - 1, in)] = '\0';
        fclose(in);
        struct flue_text_script *first = parsed(text);
        char *once = printed(first);
        struct flue_text_script *second = parsed(once);
        char *twice = printed(second);
        CHECK(strcmp(once, twice) == 0);
        CHECK_EQ(first->step_count, second->step_count);
        CHECK_EQ(first->item_count, second->item_count);
        for (size_t i = 0; i < first->item_count; i++) {
            CHECK_EQ(first->items[i].part, second->items[i].part);
            CHECK_EQ(first->items[i].depth, second->items[i].depth);
            CHECK_EQ(memcmp(&first->items[i].values, &second->items[i].values, sizeof first->items[i].values), 0);
        }
        free(once);
        free(twice);
        flue_text_free(first);
        flue_text_free(second);
        files++;
    }
    closedir(folder);
    CHECK(files >= 5);
}
