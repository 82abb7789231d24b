/* mbserver - the server that libmodbus's users write: select() over the connections, modbus_receive, modbus_reply.
 *
 * usage: mbserver HOST PORT
 *   unit 1, holding and input register A = A for 0 to 9999. Accepted sockets get TCP_NODELAY, which libmodbus does not
 *   set: without it, several requests of one connection in flight wait 40 ms for each other's replies.
 * build: gcc -O2 -o mbserver mbserver.c -lmodbus
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define REGISTERS 10000
#define BACKLOG 128

static int accepted(modbus_t *ctx, int listening) {
    int sock = listening, one = 1;
    int fd = modbus_tcp_accept(ctx, &sock); /* closes what it was given when it fails */
    if (fd >= 0) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: mbserver HOST PORT\n");
        return 2;
    }
    modbus_t *ctx = modbus_new_tcp(argv[1], atoi(argv[2]));
    modbus_mapping_t *map = modbus_mapping_new(0, 0, REGISTERS, REGISTERS);
    if (!ctx || !map) return 1;
    for (int at = 0; at < REGISTERS; at++) map->tab_registers[at] = map->tab_input_registers[at] = at;
    int listening = modbus_tcp_listen(ctx, BACKLOG);
    if (listening < 0) {
        fprintf(stderr, "mbserver: %s:%s: %s\n", argv[1], argv[2], modbus_strerror(errno));
        return 1;
    }
    fd_set open_now, ready;
    int highest = listening;
    FD_ZERO(&open_now);
    FD_SET(listening, &open_now);
    for (;;) {
        ready = open_now;
        if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) return 1;
        for (int fd = 0; fd <= highest; fd++) {
            if (!FD_ISSET(fd, &ready)) continue;
            if (fd == listening) {
                int peer = accepted(ctx, listening);
                if (peer < 0) return 1;
                FD_SET(peer, &open_now);
                if (peer > highest) highest = peer;
                continue;
            }
            uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
            modbus_set_socket(ctx, fd);
            int size = modbus_receive(ctx, query);
            if (size > 0) {
                modbus_reply(ctx, query, size, map);
            } else if (size < 0) {
                close(fd);
                FD_CLR(fd, &open_now);
            }
        }
    }
}
