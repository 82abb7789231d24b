/* A server on libmodbus, for test_libmodbus.py: 200 addresses in each table, register A is A, coil A is on where 3
 * divides A, discrete input A where 5 does.
 *
 *   libmodbus_server tcp HOST PORT
 *   libmodbus_server rtu DEVICE BAUD PARITY STOP_BITS UNIT
 *
 * It says "ready" and serves one client after the other until it is killed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <modbus/modbus.h>

#define COUNT 200

static void serve(modbus_t *line, modbus_mapping_t *held, int lasting)
{
    uint8_t request[MODBUS_MAX_ADU_LENGTH];

    for (;;) {
        int size = modbus_receive(line, request);

        if (size > 0)
            modbus_reply(line, request, size, held);
        else if (size < 0 && !lasting)
            return;
    }
}

static int fail(void)
{
    fprintf(stderr, "cannot serve: %s\n", modbus_strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    modbus_mapping_t *held = modbus_mapping_new(COUNT, COUNT, COUNT, COUNT);
    modbus_t *line = NULL;

    for (int k = 0; k < COUNT; k++) {
        held->tab_bits[k] = k % 3 == 0;
        held->tab_input_bits[k] = k % 5 == 0;
        held->tab_registers[k] = held->tab_input_registers[k] = k;
    }
    if (argc == 4 && !strcmp(argv[1], "tcp")) {
        line = modbus_new_tcp(argv[2], atoi(argv[3]));
        int listening = line ? modbus_tcp_listen(line, 5) : -1;
        if (listening < 0)
            return fail();
        puts("ready");
        fflush(stdout);
        while (modbus_tcp_accept(line, &listening) >= 0) {
            serve(line, held, 0);
            modbus_close(line);
        }
    } else if (argc == 7 && !strcmp(argv[1], "rtu")) {
        line = modbus_new_rtu(argv[2], atoi(argv[3]), argv[4][0], 8, atoi(argv[5]));
        if (!line || modbus_set_slave(line, atoi(argv[6])) || modbus_connect(line))
            return fail();
        puts("ready");
        fflush(stdout);
        serve(line, held, 1);
    }
    return fail();
}
