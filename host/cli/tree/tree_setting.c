/* Statements that change a configuration record of the device: limit, vlans, switch, parameters. */
#include <string.h>
#include "tree_run.h"

/* Words of a configuration record: read it, change what the script says, write it. */
union record {
    struct flue_cfg_limits limits;
    struct flue_cfg_vlans vlans;
    struct flue_cfg_switches switches;
    struct flue_cfg_connection connection;
    uint32_t words[sizeof(struct flue_cfg_limits) / 4];
};

static size_t record_bytes(enum flue_config_group group)
{
    return group == FLUE_CFG_LIMITS     ? sizeof(struct flue_cfg_limits)
           : group == FLUE_CFG_VLANS    ? sizeof(struct flue_cfg_vlans)
           : group == FLUE_CFG_SWITCHES ? sizeof(struct flue_cfg_switches)
                                        : sizeof(struct flue_cfg_connection);
}

static void byte_set(uint32_t *word, uint32_t mask, unsigned shift, uint64_t value)
{
    *word = (*word & ~mask) | ((uint32_t)value << shift & mask);
}

/* A run-time parameter, by its place in the published structure. */
static void parameter_set(struct flue_cfg_connection *c, unsigned key, uint64_t value)
{
#define AT(member) offsetof(NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS, member)
#define BYTE(name) byte_set(&c->word1, FLUE_CFG_CONNECTION_##name##_MASK, FLUE_CFG_CONNECTION_##name##_SHIFT, value)
    switch (key) {
    case AT(TicksPerSecond):
        c->ticks_per_second = (uint32_t)value;
        break;
    case AT(TcpAckFrequency):
        BYTE(ACK_FREQUENCY);
        break;
    case AT(TcpDelayedAckTicks):
        BYTE(DELAYED_ACK_TICKS);
        break;
    case AT(TcpMaximumRetransmissions):
        BYTE(MAX_RETRANSMISSIONS);
        break;
    case AT(TcpDoubtReachabilityRetransmissions):
        BYTE(DOUBT_RETRANSMISSIONS);
        break;
    case AT(TcpSwsPreventionTicks):
        c->sws_prevention_ticks = (uint32_t)value;
        break;
    case AT(TcpDuplicateAckThreshold):
        c->duplicate_ack_threshold = (uint32_t)value;
        break;
    case AT(TcpPushTicks):
        c->push_ticks = (uint32_t)value;
        break;
    case AT(NceStaleTicks):
        c->nce_stale_ticks = (uint32_t)value;
        break;
    case AT(CongestionAlgorithm):
        c->congestion_algorithm = (uint32_t)value;
        break;
    default:
        break;
    }
#undef BYTE
#undef AT
}

static void record_change(union record *record, const struct flue_text_step *step, const struct flue_text_pair *pairs)
{
    if (step->group == FLUE_CFG_VLANS) {
        memset(&record->vlans, 0, sizeof record->vlans);
        record->vlans.count = (uint32_t)step->count;
    }
    for (size_t i = 0; i < step->count; i++) {
        uint32_t value = (uint32_t)pairs[i].value;
        switch (step->group) {
        case FLUE_CFG_LIMITS:
            record->words[pairs[i].key] = value;
            break;
        case FLUE_CFG_VLANS:
            record->vlans.ids[i / 2] |= value << (i % 2 == 0 ? FLUE_CFG_VLANS_LOW_SHIFT : FLUE_CFG_VLANS_HIGH_SHIFT);
            break;
        case FLUE_CFG_SWITCHES:
            record->switches.word0 = (record->switches.word0 & ~pairs[i].key) | (value != 0 ? pairs[i].key : 0);
            break;
        default:
            parameter_set(&record->connection, pairs[i].key, value);
            break;
        }
    }
}

enum flue_err tree_setting_run(struct run *run, const struct flue_text_step *step)
{
    static const char *const names[] = {[FLUE_CFG_CONNECTION] = "parameters",
                                        [FLUE_CFG_SWITCHES] = "switch",
                                        [FLUE_CFG_LIMITS] = "limit",
                                        [FLUE_CFG_VLANS] = "vlans"};
    union record record = {.words = {0}};
    size_t bytes = record_bytes(step->group);
    enum flue_err err = tree_device_call(run->device, FLUE_OP_GET_CONFIG, step->group, &record, bytes, &run->done);

    if (err == FLUE_OK && run->done.status == (uint32_t)NDIS_STATUS_SUCCESS) {
        record_change(&record, step, run->script->pairs + step->first);
        err = tree_device_call(run->device, FLUE_OP_SET_CONFIG, step->group, &record, bytes, &run->done);
    }
    run->has_done = err == FLUE_OK;
    if (err == FLUE_OK) {
        cJSON *out = tree_step_begin(step, names[step->group]);
        tree_done_add(out, &run->done);
        tree_report(run, out);
    }
    return err;
}
