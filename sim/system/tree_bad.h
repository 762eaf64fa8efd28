/*
 * The cases of tree_bad_test.c: one field of a command, header or node each, with a value that is wrong or does not matter, and
 * what every node is answered.
 */
#ifndef FLUE_TREE_BAD_H
#define FLUE_TREE_BAD_H

#include "tree_look.h"

/*
 * One case.  `answers` has a letter for each node, or '!' and the letter of the whole command:
 *   .  taken or done         ~  taken, a dependent was not
 *   others: FAILURE with the detail of LETTER;  l  LENGTH or REGION: longer than the buffer, which ends with its region
 */
struct wrong {
    const char *field;
    uint32_t value; /* for the message */
    unsigned opcode;
    bool command;            /* the word is the command's, else the buffer's */
    unsigned word;           /* number of the word */
    uint32_t keep, put, add; /* new word = (old & keep | put) + add */
    unsigned also;           /* when not 0: this word of the buffer, and the command, say a length of nearly 4 G */
    char answers[8];
};

/* The good trees: neighbor, path over IPv4, connection, path over IPv6. */
enum { NODES = 4, HEADER_WORDS = 8, NODE_WORDS = 8 };

static const uint8_t NODE_DEPTH[NODES] = {0, 1, 2, 1};

/* Type of node `k` in a good tree of this opcode; *state: it comes with one. */
unsigned good_type(unsigned opcode, unsigned k, bool *state);

/* All cases, by opcode. */
const struct wrong *wrong_cases(unsigned *count);

/* Detail of a letter. */
unsigned wrong_detail(char letter);

#endif
