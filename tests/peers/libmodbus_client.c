/* A client on libmodbus with its default settings, for test_libmodbus.py.
 *
 *   libmodbus_client tcp HOST PORT UNIT
 *   libmodbus_client rtu DEVICE BAUD PARITY STOP_BITS UNIT
 *
 * Each line of standard input is a request, answered by a line: "ok" and what was read, or "error" and what libmodbus
 * calls it. The functions are those of libmodbus:
 *
 *   coils A N          write_coil A V         mask A AND OR
 *   discrete A N       write_coils A V...     read_write WRITE_A READ_A N V...
 *   holding A N        write_register A V     id
 *   input A N          write_registers A V... unit N
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <modbus/modbus.h>

#define MOST 2000

static void tell(int count, const uint8_t *bits, const uint16_t *registers)
{
    if (count < 0) {
        printf("error %s\n", modbus_strerror(errno));
    } else {
        printf("ok");
        for (int k = 0; (bits || registers) && k < count; k++)
            printf(" %d", bits ? bits[k] : registers[k]);
        printf("\n");
    }
    fflush(stdout);
}

static void ask(modbus_t *line, const char *what, const int *given, int count)
{
    static uint8_t bits[MOST];
    static uint16_t registers[MOST], written[MOST];
    int first = strcmp(what, "read_write") ? 1 : 3; /* where values begin */

    for (int k = first; k < count; k++) {
        bits[k - first] = given[k] != 0;
        written[k - first] = given[k];
    }
    if (!strcmp(what, "coils"))
        tell(modbus_read_bits(line, given[0], given[1], bits), bits, NULL);
    else if (!strcmp(what, "discrete"))
        tell(modbus_read_input_bits(line, given[0], given[1], bits), bits, NULL);
    else if (!strcmp(what, "holding"))
        tell(modbus_read_registers(line, given[0], given[1], registers), NULL, registers);
    else if (!strcmp(what, "input"))
        tell(modbus_read_input_registers(line, given[0], given[1], registers), NULL, registers);
    else if (!strcmp(what, "write_coil"))
        tell(modbus_write_bit(line, given[0], given[1]), NULL, NULL);
    else if (!strcmp(what, "write_register"))
        tell(modbus_write_register(line, given[0], given[1]), NULL, NULL);
    else if (!strcmp(what, "write_coils"))
        tell(modbus_write_bits(line, given[0], count - 1, bits), NULL, NULL);
    else if (!strcmp(what, "write_registers"))
        tell(modbus_write_registers(line, given[0], count - 1, written), NULL, NULL);
    else if (!strcmp(what, "mask"))
        tell(modbus_mask_write_register(line, given[0], given[1], given[2]), NULL, NULL);
    else if (!strcmp(what, "read_write"))
        tell(modbus_write_and_read_registers(line, given[0], count - 3, written, given[1], given[2], registers), NULL,
             registers);
    else if (!strcmp(what, "id"))
        tell(modbus_report_slave_id(line, MOST, bits), bits, NULL);
    else if (!strcmp(what, "unit"))
        tell(modbus_set_slave(line, given[0]), NULL, NULL);
    else
        printf("error no such request: %s\n", what), fflush(stdout);
}

int main(int argc, char **argv)
{
    static char text[16 * MOST];
    int given[MOST] = {0};
    modbus_t *line = NULL;

    if (argc == 5 && !strcmp(argv[1], "tcp"))
        line = modbus_new_tcp(argv[2], atoi(argv[3]));
    else if (argc == 7 && !strcmp(argv[1], "rtu"))
        line = modbus_new_rtu(argv[2], atoi(argv[3]), argv[4][0], 8, atoi(argv[5]));
    if (!line || modbus_set_slave(line, atoi(argv[argc - 1])) || modbus_connect(line)) {
        fprintf(stderr, "cannot connect: %s\n", modbus_strerror(errno));
        return 1;
    }
    while (fgets(text, sizeof text, stdin)) {
        int count = 0;
        char *what = strtok(text, " \n");

        for (char *word; what && count < MOST && (word = strtok(NULL, " \n"));)
            given[count++] = atoi(word);
        if (what)
            ask(line, what, given, count);
    }
    modbus_close(line);
    modbus_free(line);
    return 0;
}
